import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { eventually } from './eventually.ts'
import { installedProgram } from './installed.mjs'
import { spawnOwned } from './owned-process.ts'
import { freePorts } from './ports.ts'
import { temporaryFolder } from './run-folder.ts'

export const prometheusFolder = fileURLToPath(new URL('../../docker/prometheus/', import.meta.url))

/** One series of an answer, or a number without labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A rule as Prometheus has it. */
export interface AlertingRule {
  readonly name: string
  readonly query: string
  readonly health: 'ok' | 'err' | 'unknown'
  readonly state: 'inactive' | 'pending' | 'firing'
  readonly lastError?: string
}

export interface Prometheus {
  /** @throws with Prometheus' own words when it is no PromQL */
  query(expression: string): Promise<readonly Sample[]>
  rules(): Promise<readonly AlertingRule[]>
  close(): Promise<void>
}

interface Config {
  readonly scrape_configs: readonly { readonly static_configs: unknown }[]
}

/**
 * Starts a Prometheus of the test's own, with the repository's rules and its example of a configuration, which looks each second.
 *
 * @param targets `host:port` of admin servers
 */
export async function startPrometheus(targets: readonly string[]): Promise<Prometheus> {
  const folder = temporaryFolder('prometheus')
  const [port] = await freePorts(1)
  const config = join(folder, 'prometheus.yml')
  const example: Config = parse(readFileSync(join(prometheusFolder, 'prometheus.yml'), 'utf8'))
  writeFileSync(
    config,
    stringify({
      ...example,
      global: { evaluation_interval: '1s' },
      rule_files: [join(prometheusFolder, 'fpm-bridge.rules.yml')],
      scrape_configs: example.scrape_configs.map((job) => ({
        ...job,
        scrape_interval: '1s',
        scrape_timeout: '1s',
        static_configs: [{ targets }],
      })),
    }),
  )
  const owned = await spawnOwned(
    installedProgram('prometheus'),
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { env: { PATH: process.env['PATH'] }, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const at = `http://127.0.0.1:${port}`
  await eventually('Prometheus is there', async () => (await fetch(`${at}/-/ready`)).ok)
  return {
    async query(expression) {
      const { resultType, result } = await ask(`${at}/api/v1/query?query=${encodeURIComponent(expression)}`)
      if (resultType === 'scalar') return [{ labels: {}, value: Number((result as unknown[])[1]) }]
      return (result as { metric: Record<string, string>; value: [number, string] }[]).map(
        ({ metric: labels, value: [, value] }) => ({ labels, value: Number(value) }),
      )
    },
    async rules() {
      const { groups } = await ask(`${at}/api/v1/rules`)
      return (groups as { rules: AlertingRule[] }[]).flatMap(({ rules }) => rules)
    },
    close: owned.kill,
  }
}

async function ask(url: string): Promise<Record<string, unknown>> {
  const answer = (await (await fetch(url)).json()) as {
    status: string
    error?: string
    data: Record<string, unknown>
  }
  if (answer.status !== 'success') throw new Error(answer.error)
  return answer.data
}
