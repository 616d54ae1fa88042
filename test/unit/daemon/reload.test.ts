import { describe, expect, it } from 'vitest'
import type { BridgeConfig } from '../../../src/config/bridge-config.ts'
import type { ProcessConfig } from '../../../src/config/process-config.ts'
import { keptOptions, planReload } from '../../../src/daemon/reload.ts'
import { wholeRun } from '../../support/given.ts'

const bridge = (queue: string, given: Readonly<Record<string, string>> = {}): BridgeConfig => {
  const [config] = wholeRun({ queue, 'daemon-id': 'D-1', ...given }).bridges
  return config as BridgeConfig
}

describe('a reload', () => {
  it('leaves alone what is the same, however often it was read', () => {
    const plan = planReload([bridge('a'), bridge('b')], [bridge('b'), bridge('a')])
    expect(plan).toMatchObject({ added: [], changed: [], gone: [] })
    expect(plan.same.map(({ queue }) => queue)).toEqual(['b', 'a'])
  })

  it('knows bridges by their queues', () => {
    const queues = (configs: readonly BridgeConfig[]) => configs.map(({ queue }) => queue)
    const plan = planReload(
      [bridge('same'), bridge('changed'), bridge('gone')],
      [bridge('added'), bridge('changed', { concurrency: '5' }), bridge('same')],
    )
    expect(queues(plan.added)).toEqual(['added'])
    expect(queues(plan.changed)).toEqual(['changed'])
    expect(queues(plan.same)).toEqual(['same'])
    expect(queues(plan.gone)).toEqual(['gone'])
    expect(plan.changed[0]?.concurrency).toBe(5)
  })

  it.each([
    { name: 'other' },
    { socket: '127.0.0.1:9000' },
    { script: '/srv/other.php' },
    { ack: 'completed' },
    { 'max-response': '2MiB' },
    { 'status-path': '/other' },
  ])('replaces a bridge with another %j', ({ name, ...given }: Record<string, string>) => {
    const after = { ...bridge('a', given), ...(name !== undefined && { name }) }
    expect(planReload([bridge('a')], [after]).changed).toEqual([after])
  })
})

describe('what belongs to the process', () => {
  const config = (given: Readonly<Record<string, string>>): ProcessConfig => wholeRun(given).process
  const before = config({ 'daemon-id': 'D-1' })

  it.each<[Readonly<Record<string, string>>, readonly string[]]>([
    [{}, []],
    [{ 'drain-timeout': '1s' }, []],
    [{ url: 'amqp://other' }, ['--url, --tls-*']],
    [
      { url: 'amqps://other', 'tls-insecure': 'true', 'log-level': 'debug' },
      ['--url, --tls-*', '--log-level'],
    ],
    [{ admin: '127.0.0.1:9180' }, ['--admin, --admin-*']],
    [{ 'daemon-id': 'D-2', 'log-format': 'json' }, ['--daemon-id', '--log-format']],
  ])('of %j keeps %j', (given, kept) => {
    expect(keptOptions(before, config({ 'daemon-id': 'D-1', ...given }))).toEqual(kept)
  })
})
