import { describe, expect, it } from 'vitest'
import type { BridgeEvent } from '../../../../src/bridge/events.ts'
import { logLines } from '../../../../src/observe/log-lines.ts'
import type { LogLevel } from '../../../../src/observe/logger.ts'
import { recordingLog } from '../recording-log.ts'
import { DEAD, DIAGNOSIS, EXECUTION, settledBy } from './samples.ts'
import { TABLES } from './tables.ts'

/*
 * Users read the log by these sentences, and script it by these fields: each is written in the rows as it is.
 */

describe.each(TABLES)('of %s the log says', (_, table, rows) => {
  it.each(rows.map(([event, level, sentence, fields]) => ({ event, level, sentence, fields })))(
    '$sentence ($event.kind)',
    ({ event, level, sentence, fields }) => {
      expect(linesOf(event)).toEqual([{ level, message: sentence, fields }])
    },
  )

  it('nothing else, and calls all fields by names in snake_case', () => {
    const spoken = Object.keys(table).filter((kind) => table[kind] !== undefined)
    expect(new Set(rows.map(([{ kind }]) => kind))).toEqual(new Set(spoken))
    const names = rows.flatMap(([event]) => linesOf(event).flatMap(({ fields }) => Object.keys(fields)))
    expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([])
  })
})

describe('the log says nothing', () => {
  it.each<BridgeEvent>([
    { kind: 'delivered', deliveryTag: 1, messageId: undefined, redelivered: false, bytes: 1 },
    { kind: 'started', execution: EXECUTION, timestamp: undefined },
    { kind: 'answered', execution: EXECUTION, status: 200, timings: { connect: 0, firstByte: 0, total: 0 } },
  ])('of what each delivery has on its way: $kind', (event) => {
    expect(linesOf(event)).toEqual([])
  })

  it('and looks into no event whose level nobody reads', () => {
    const log = { ...recordingLog(), wants: (level: LogLevel) => level !== 'debug' }
    const execution = Object.defineProperty({ ...EXECUTION }, 'messageId', {
      get: () => {
        throw new Error('looked into')
      },
    })
    logLines(log)({ kind: 'sent', execution })
    expect(log.lines).toEqual([])
  })
})

it.each<[string, string | undefined]>([
  ['x'.repeat(3_000), 'x'.repeat(2_048)],
  ['', undefined],
])('a line has the beginning of a long stderr, and none of an empty one', (stderr, shown) => {
  const outcome = { kind: 'dead-letter', cause: 'rejected', ...DIAGNOSIS, stderr } as const
  const [line] = linesOf(
    settledBy({ purpose: 'dead-letter', execution: EXECUTION, outcome, deadLetterQueue: 'q.dead' }),
  )
  expect(line?.fields['stderr']).toBe(shown)
})

it('with --log-messages failures, success is of level debug, and nothing else', () => {
  const log = recordingLog()
  const tell = logLines(log, 'failures')
  tell({ kind: 'settled', by: 'ack', execution: EXECUTION, outcome: { kind: 'executed', status: 200 } })
  tell(settledBy(DEAD))
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ['debug', 'Executed.'],
    ['warn', 'Dead-lettered.'],
  ])
})

function linesOf(event: BridgeEvent) {
  const log = recordingLog()
  logLines(log)(event)
  return log.lines
}
