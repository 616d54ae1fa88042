import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

/*
 * The container files agree with each other: what one of them names, another one provides.
 *
 * That docker-compose.yml is a valid compose file is not proved here: the npm registry has no current copy of the
 * specification's schema. `docker compose config` proves it where there is one (test/integration/docker-image).
 */

interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly environment: Readonly<Record<string, string>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly volumes?: readonly (string | { source: string; target: string; read_only: boolean })[]
  readonly ports?: readonly string[]
  readonly stop_grace_period?: string
  readonly profiles?: readonly string[]
}

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const exists = (path: string) => existsSync(new URL(`../../${path}`, import.meta.url))

const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(
  read('docker-compose.yml'),
  { merge: true },
)
const pool = new Map(
  [...read('docker/php-fpm/commands.conf').matchAll(/^([^;[\s]\S*) = (.+)$/gm)].map(([, key, value]) => [
    key,
    value,
  ]),
)
const bridgeImage = read('docker/bridge/Dockerfile')
const poolImage = read('docker/php-fpm/Dockerfile')

function service(name: string): Service {
  const found = compose.services[name]
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`)
  return found
}

/** What an image's Dockerfile says, by the groups of an expression. */
function stated(dockerfile: string, expression: RegExp): string[] {
  const match = expression.exec(dockerfile)
  if (match === null) throw new Error(`no line like ${expression}`)
  return match.slice(1)
}

function setting(key: string): string {
  const value = pool.get(key)
  if (value === undefined) throw new Error(`commands.conf does not set ${key}`)
  return value
}

/** Seconds of `30s` or `24m`. */
function seconds(duration: string | undefined): number {
  const [, digits, unit] = /^(\d+)([sm])$/.exec(duration ?? '') ?? []
  return Number(digits) * (unit === 'm' ? 60 : 1)
}

/** The value that compose takes for `${NAME:-value}` when NAME is not set. */
const byDefault = (text: string) => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')

describe('the socket', () => {
  const bridge = service('bridge')
  const folder = dirname(setting('listen'))

  it('is the one that the pool listens on', () => {
    expect(bridge.environment['FPM_BRIDGE_SOCKET']).toBe(setting('listen'))
  })

  it('lies in a volume that the pool writes and the bridge only reads', () => {
    expect(service('php-fpm').volumes).toContain(`socket:${folder}`)
    expect(bridge.volumes).toEqual([
      expect.objectContaining({ source: 'socket', target: folder, read_only: true }),
    ])
    expect(compose.volumes).toHaveProperty('socket')
  })

  it("lets in the bridge's group and, but for root, nobody else", () => {
    const [gid = ''] = stated(bridgeImage, /^USER \d+:(\d+)$/m)
    expect(['owner', 'group', 'mode'].map((each) => setting(`listen.${each}`))).toEqual(['root', gid, '0660'])
    const [options] = stated(poolImage, /install (--directory.*)$/m)
    expect(options).toBe(`--directory --owner=root --group=${gid} --mode=0750 ${folder}`)
  })
})

describe('the pool', () => {
  it('answers the health check beside its own children', () => {
    const [copied] = stated(poolImage, /^COPY docker\/php-fpm\/ping\.php (\S+)\/$/m)
    expect(service('php-fpm').healthcheck?.test).toEqual([
      'CMD',
      'php',
      `${copied}/ping.php`,
      setting('pm.status_listen'),
      setting('ping.path'),
    ])
  })

  it('serves the pages where the bridge looks for them by default', () => {
    expect([setting('pm.status_path'), setting('ping.path')]).toEqual(['/status', '/ping'])
  })

  it('has the script that the bridge names', () => {
    const [from, to] = stated(poolImage, /^COPY (worker-php) (\S+)$/m) as [string, string]
    const script = service('bridge').environment['FPM_BRIDGE_SCRIPT'] ?? ''
    expect(script.startsWith(`${to}/`)).toBe(true)
    expect(exists(script.replace(to, from))).toBe(true)
  })

  it('gives the script what compose gives the container', () => {
    const passed = [...pool].filter(([key]) => key?.startsWith('env['))
    expect(passed.map(([, value]) => value?.slice(1))).toEqual(Object.keys(service('php-fpm').environment))
  })

  it('has as many children as the bridge has requests in flight, and more', () => {
    const concurrency = byDefault(service('bridge').environment['FPM_BRIDGE_CONCURRENCY'] ?? '')
    expect(Number(setting('pm.max_children'))).toBeGreaterThan(Number(concurrency))
  })
})

describe('time limits', () => {
  it("end a script before RabbitMQ's delivery acknowledgement timeout, 30 minutes by default", () => {
    expect(seconds(setting('request_terminate_timeout'))).toBeLessThan(30 * 60)
  })

  it('let a running script end when the pool stops or is reloaded', () => {
    const wait = seconds(setting('process_control_timeout'))
    expect(wait).toBeGreaterThanOrEqual(seconds(setting('request_terminate_timeout')))
    expect(seconds(service('php-fpm').stop_grace_period)).toBeGreaterThan(wait)
  })

  it('let the bridge drain, 30 seconds by default', () => {
    expect(seconds(service('bridge').stop_grace_period)).toBeGreaterThan(30)
  })
})

describe('compose', () => {
  it('waits only for services that tell their health', () => {
    for (const { depends_on: dependencies = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(dependencies)) {
        expect(condition).toBe('service_healthy')
        expect(service(name).healthcheck).toBeDefined()
      }
    }
    expect(Object.keys(service('bridge').depends_on ?? {})).toEqual(['rabbitmq', 'php-fpm'])
  })

  it.each(['container_name', 'hostname', 'ports'])('scales the bridge: no %s', (key) => {
    expect(service('bridge')).not.toHaveProperty(key)
    expect(service('bridge').environment).not.toHaveProperty('FPM_BRIDGE_DAEMON_ID')
  })

  it('logs in as the user that the broker is given', () => {
    const { RABBITMQ_DEFAULT_USER: user = '', RABBITMQ_DEFAULT_PASS: password = '' } =
      service('rabbitmq').environment
    for (const name of ['bridge', 'publish']) {
      expect(service(name).environment['FPM_BRIDGE_URL']).toBe(`amqp://${user}:${password}@rabbitmq:5672`)
    }
    expect(byDefault(user)).not.toBe('guest')
  })

  it('opens ports on the loopback address alone', () => {
    const ports = Object.values(compose.services).flatMap((each) => each.ports ?? [])
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([])
  })

  it('builds from Dockerfiles that exist, and pulls no image of our name', () => {
    for (const { build, image } of Object.values(compose.services)) {
      if (build !== undefined) expect([image, exists(build.dockerfile)]).toEqual([undefined, true])
    }
  })

  it('keeps the publishing tool out of a plain `up`', () => {
    expect(service('publish').profiles).toEqual(['tools'])
  })
})
