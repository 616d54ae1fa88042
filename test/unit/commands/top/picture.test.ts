import { describe, expect, it } from 'vitest'
import { textWidth } from '../../../../src/command-line/text-width.ts'
import type { Size } from '../../../../src/commands/top/line.ts'
import { pageOf, picture } from '../../../../src/commands/top/picture.ts'
import { rowsIn, type TopState } from '../../../../src/commands/top/view-state.ts'
import { bridgeReport, daemonReport, lookAt, sightOf } from '../../../support/fleet-looks.ts'

const SMALL = { columns: 80, rows: 24 }
const LARGE = { columns: 200, rows: 60 }

function stateOf(sight: TopState['sight'], given: Partial<TopState> = {}): TopState {
  const calm = { trouble: undefined, selected: undefined, asking: undefined, notice: undefined }
  return { source: 'amqp://broker', canAct: true, sight, ...calm, ...given }
}

/** Some daemons of two queues, one of which is paused, with something in each panel. */
function fleetOf(count: number) {
  const pause = { by: 'ana@ops', reason: 'migration' }
  const failures = Array.from({ length: 10 }, (_, index) => ({
    time: `2026-03-01T14:02:${String(index).padStart(2, '0')}Z`,
    queue: 'mails',
    outcome: 'retry',
    reason: 'the worker answered with status 500',
    message_id: `M-${index}`,
  }))
  const pools = [{ pool: '/run/fpm.sock', busy: 3, children: 4, listen_queue: 9 }]
  const daemons = Array.from({ length: count }, (_, index) =>
    daemonReport(
      `D-${index + 1}`,
      [bridgeReport(), bridgeReport({ queue: 'invoices', state: 'paused', pause, in_flight: 0, rate: 0 })],
      { failures: index === 0 ? failures : [], pools },
    ),
  )
  const look = lookAt(daemons, { mails: 1_234, invoices: 0 })
  return stateOf(sightOf(look, look))
}

const textsOf = (state: TopState, size: Size) => picture(state, size).map(({ text }) => text)

describe('a picture', () => {
  it('of 80x24 has what matters most', () => {
    const lines = textsOf(fleetOf(2), SMALL)
    expect(lines).toHaveLength(24)
    expect(lines.slice(0, 7)).toEqual([
      'fpm-bridge top - amqp://broker  2 daemons  2 queues  14:02:03',
      '  QUEUE / DAEMON  STATE    READY  AGE  BUSY  MSG/S  OK/S    P50   P95     P99',
      '> invoices        paused       0    -   0/8      0     0  2.3ms  40ms  1235ms',
      '    D-1           paused           1m   0/4      0     0  2.3ms  40ms  1235ms',
      '    D-2           paused           1m   0/4      0     0  2.3ms  40ms  1235ms',
      '  mails           running   1234   1m   6/8   24.7     0  2.3ms  40ms  1235ms',
      '    D-1           running          1m   3/4   12.3     0  2.3ms  40ms  1235ms',
    ])
    expect(lines).toContain('  invoices is paused: by ana@ops, migration (D-1, D-2)')
    expect(lines).toContain('  /run/fpm.sock (web1): 3 of 4 children busy, 9 requests wait for one')
    expect(lines).toContain('  14:02:09  mails  retry  M-9  the worker answered with status 500')
    expect(lines.at(-1)).toBe('q quit  p pause  r resume  up/down select')
  })

  it('of 200x60 has all of it', () => {
    const lines = textsOf(fleetOf(2), LARGE)
    expect(lines).toHaveLength(60)
    for (const head of ['RETRY/S', 'REFUSED/S', 'DEAD/S', 'LOST/S', 'P99', 'UP'])
      expect(lines[1]).toContain(head)
    expect(lines.filter((line) => line.includes('status 500'))).toHaveLength(10)
  })

  it.each([SMALL, LARGE, { columns: 40, rows: 10 }, { columns: 20, rows: 5 }, { columns: 1, rows: 1 }])(
    'fits into %j, whatever there is to be seen',
    (size) => {
      const names = ['請求書'.repeat(30), '\u001b[31m\u202e'.repeat(10), 'x'.repeat(255), '👍'.repeat(50)]
      const odd = daemonReport(
        'D-1',
        names.map((queue) => bridgeReport({ queue, state: 'held', hold: { reason: queue, held_ms: 1 } })),
      )
      const states = [
        fleetOf(1),
        fleetOf(100),
        stateOf(sightOf(lookAt([odd]))),
        stateOf(undefined),
        stateOf(sightOf(lookAt([]))),
      ]
      for (const state of states) {
        const lines = textsOf({ ...state, trouble: 'x'.repeat(300) }, size)
        expect(lines).toHaveLength(size.rows)
        for (const line of lines) {
          expect(textWidth(line)).toBeLessThanOrEqual(size.columns)
          expect(line).not.toMatch(/\p{Cc}|\p{Cf}/u)
        }
      }
    },
  )

  it.each([SMALL, LARGE])('of %j keeps the selected row in sight, and a good half of it for rows', (size) => {
    const state = fleetOf(100)
    for (const [index, { key }] of rowsIn(state).entries()) {
      if (index % 23 !== 0 && index < 200) continue
      const lines = picture({ ...state, selected: key }, size)
      expect(lines.filter(({ style }) => style === 'selected')).toHaveLength(1)
    }
    expect(pageOf(state, size)).toBeGreaterThanOrEqual(size.rows / 2 - 2)
  })

  it('asks, and says what has come of it', () => {
    expect(textsOf({ ...fleetOf(1), asking: 'mails' }, SMALL).at(-1)).toBe(
      'Pause mails, for all daemons? y/n',
    )
    expect(textsOf({ ...fleetOf(1), notice: 'mails is paused' }, SMALL).at(-1)).toBe('mails is paused')
  })

  it('says below its first line why there is no newer one', () => {
    const lines = picture({ ...fleetOf(1), trouble: 'the connection to the broker has ended' }, SMALL)
    expect(lines).toHaveLength(24)
    expect(lines[1]).toEqual({ style: 'alarm', text: 'the connection to the broker has ended' })
    expect(lines[2]?.text).toContain('QUEUE / DAEMON')
  })

  it('has a rate where the fleet does not say it', () => {
    const look = (executed: number) =>
      lookAt([
        daemonReport('D-1', [bridgeReport({ rate: 0, messages: { executed, retry: 0, hold: executed } })]),
      ])
    expect(textsOf(stateOf(sightOf(look(0), look(30))), LARGE)[2]).toMatch(/ 3\/4 {3}30\.0 /)
  })

  it('without an end has no more lines than there are, and no keys', () => {
    const lines = textsOf(fleetOf(1), { columns: 200, rows: Number.POSITIVE_INFINITY })
    expect(lines).toHaveLength(1 + 1 + 4 + 2 + 2 + 11)
    expect(lines.at(-1)).toContain('14:02:00')
  })

  it('marks a daemon that does not answer', () => {
    const look = lookAt([daemonReport('D-1', [bridgeReport()])])
    const silent = sightOf(look, lookAt([]))
    expect(textsOf(stateOf(silent), SMALL)[3]).toMatch(/^ {4}D-1 \? /)
  })
})
