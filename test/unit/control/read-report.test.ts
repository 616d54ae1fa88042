import { describe, expect, it } from 'vitest'
import { fleetTable } from '../../../src/commands/control/fleet-table.ts'
import { reasonsOf } from '../../../src/commands/control/report-text.ts'
import { picture } from '../../../src/commands/top/picture.ts'
import type { DaemonReport } from '../../../src/control/protocol.ts'
import { readReport } from '../../../src/control/read-report.ts'
import { lookAt, sightOf } from '../../support/fleet-looks.ts'

const read = (value: unknown) => readReport(Buffer.from(JSON.stringify(value)))

const REPORT: DaemonReport = {
  daemon_id: 'D-1',
  host: 'web1',
  pid: 7,
  version: '1.2.3',
  uptime_s: 9,
  bridges: [
    {
      name: 'mails',
      queue: 'mails',
      state: 'paused',
      session: 'up',
      in_flight: 1,
      concurrency: 2,
      waiting: 3,
      messages: { executed: 4 },
      rate: 0.5,
      execution_ms: { count: 4, p50: 1, p95: 2, p99: 3, max: 4 },
      age_s: 1.5,
      hold: { reason: 'no pool', held_ms: 8 },
      pause: { by: 'ana' },
    },
  ],
  pools: [{ pool: '/fpm.sock', busy: 1, children: 4, listen_queue: 0 }],
  failures: [
    { time: '2026-03-01T10:00:00Z', queue: 'mails', outcome: 'retry', reason: 'no', message_id: 'M-1' },
    { time: '2026-03-01T10:00:00Z', queue: 'mails', outcome: 'lost', reason: 'no' },
  ],
  error: 'not yet',
}

it('reads a report as it is, and what a later version adds', () => {
  expect(read(REPORT)).toEqual(REPORT)
  const more = { ...REPORT, region: 'eu', bridges: [{ ...REPORT.bridges[0], shard: 4 }] }
  expect(read(more)).toEqual(more)
})

it.each([
  '',
  '{',
  'null',
  '7',
  '[]',
  '{}',
  '{"daemon_id":"D","pid":"7","bridges":[]}',
  '{"daemon_id":7,"pid":7,"bridges":[]}',
  '{"daemon_id":"D","pid":7,"bridges":{}}',
  '{"daemon_id":"D","pid":7,"bridges":[null]}',
  '{"daemon_id":"D","pid":7,"bridges":[{"queue":"q"}]}',
  `{"daemon_id":"${'D'.repeat(4 * 1024 ** 2)}","pid":7,"bridges":[]}`,
])('is no report: %.60s', (text) => expect(readReport(Buffer.from(text))).toBeUndefined())

describe('what is of another type', () => {
  const { daemon_id, pid } = REPORT
  const bridge = { queue: 'q', state: 'running' }

  it('is left empty', () => {
    expect(read({ daemon_id, pid, bridges: [bridge] })).toMatchObject({
      host: '',
      version: '',
      uptime_s: 0,
      bridges: [{ name: 'q', session: 'up', in_flight: 0, concurrency: 0, messages: {}, rate: 0 }],
    })
  })

  it.each([null, 7, 'x', [], {}, true])('can be shown all the same: %j', (wrong) => {
    const fields = [
      'name',
      'session',
      'in_flight',
      'concurrency',
      'waiting',
      'messages',
      'rate',
      'hold',
      'pause',
      'execution_ms',
      'age_s',
    ]
    const report = read({
      daemon_id,
      pid,
      ...Object.fromEntries(
        ['host', 'version', 'uptime_s', 'error', 'pools', 'failures'].map((field) => [field, wrong]),
      ),
      bridges: [{ ...bridge, ...Object.fromEntries(fields.map((field) => [field, wrong])) }],
    }) as DaemonReport
    expect(fleetTable([report], undefined)).toHaveLength(2)
    expect(fleetTable([report], 80)).toHaveLength(2)
    expect(reasonsOf([report]).length).toBeLessThan(2)
    const sight = sightOf(lookAt([report]))
    const state = { source: '', canAct: true, sight, trouble: undefined, selected: undefined }
    const lines = picture({ ...state, asking: undefined, notice: undefined }, { columns: 200, rows: 60 })
    expect(lines).toHaveLength(60)
  })
})
