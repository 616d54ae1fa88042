import { describe, expect, it } from 'vitest'
import { fleetTable } from '../../../../src/commands/control/fleet-table.ts'
import { duration, reasonsOf } from '../../../../src/commands/control/report-text.ts'
import type { BridgeReport, DaemonReport } from '../../../../src/control/protocol.ts'

const bridge = (given: Partial<BridgeReport> = {}): BridgeReport => ({
  name: 'mails',
  queue: 'mails',
  state: 'running',
  session: 'up',
  in_flight: 3,
  concurrency: 8,
  waiting: 1,
  messages: { executed: 1_204, retry: 2, refused: 0, lost: 0, 'dead-letter': 1, hold: 9 },
  rate: 12.34,
  ...given,
})
const report = (...bridges: BridgeReport[]): DaemonReport => ({
  daemon_id: 'D-1',
  host: 'web1',
  pid: 77,
  version: '1.2.3',
  uptime_s: 3_725,
  bridges,
})

describe('the table of a fleet', () => {
  it('has a line for each bridge, in columns', () => {
    const lines = fleetTable([report(bridge(), bridge({ queue: 'q', name: 'invoices' }))], undefined)
    expect(lines).toEqual([
      'DAEMON  QUEUE         STATE    BUSY  MSG/S  EXECUTED  RETRIED  REFUSED  DEAD  LOST     UP  HOST  PID  VERSION',
      'D-1     mails         running   3/8   12.3      1204        2        0     1     0  1h 2m  web1   77  1.2.3',
      'D-1     q (invoices)  running   3/8   12.3      1204        2        0     1     0  1h 2m  web1   77  1.2.3',
    ])
  })

  it('says why a bridge does nothing', () => {
    const notes = fleetTable(
      [
        report(
          bridge({ state: 'held', hold: { reason: 'no such socket', held_ms: 5 } }),
          bridge({ state: 'paused', pause: { by: 'ana@ops', reason: 'migration', until: '2026-01-01' } }),
          bridge({ state: 'paused', pause: {} }),
          bridge({ session: 'down' }),
        ),
      ],
      undefined,
    )
    expect(notes[1]).toMatch(/held .* no such socket$/)
    expect(notes[2]).toMatch(/paused .* by ana@ops, migration, until 2026-01-01$/)
    expect(notes[3]).toMatch(/paused .* 1\.2\.3$/)
    expect(notes[4]).toContain('running, no broker')
  })

  it('fits a terminal: what says nothing leaves first, and then what can be had otherwise', () => {
    const quiet = bridge({ messages: { executed: 1_204, retry: 2 } })
    const heads = (width: number, ...bridges: BridgeReport[]) => {
      const lines = fleetTable([report(...bridges)], width)
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width)
      return lines[0]
    }
    expect(heads(120, quiet)).toMatch(/RETRIED {2}REFUSED {2}DEAD {2}LOST .* VERSION$/)
    expect(heads(80, quiet)).toBe('DAEMON  QUEUE  STATE    BUSY  MSG/S  EXECUTED  RETRIED     UP  HOST  PID')
    expect(heads(64, bridge())).toBe('DAEMON  QUEUE  STATE    BUSY  EXECUTED  RETRIED  DEAD  HOST  PID')
  })

  it('is cut where there is no room at all', () => {
    const lines = fleetTable([report(bridge())], 30)
    expect(lines.map(({ length }) => length)).toEqual([30, 30])
    expect(lines[1]).toMatch(/^D-1 .*…$/)
  })
})

it('tells each reason once, with those that have it', () => {
  const paused = bridge({ state: 'paused', pause: { by: 'ana@ops', reason: 'migration' } })
  const held = bridge({ queue: 'q', state: 'held', hold: { reason: 'no such socket', held_ms: 5 } })
  const of = (id: string) => ({ ...report(paused), daemon_id: id })
  expect(reasonsOf([of('a'), of('b'), of('c'), of('d'), of('e'), report(held, bridge())])).toEqual([
    'mails is paused: by ana@ops, migration (a, b, c and 2 more)',
    'q is held: no such socket (D-1)',
  ])
})

it.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m'],
  [3_725, '1h 2m'],
  [90_061, '1d 1h'],
  [86_400 * 400, '400d'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})
