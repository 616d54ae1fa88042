import { describe, expect, it } from 'vitest'
import { withCutOff } from '../../chaos/cut-off.ts'
import { line } from './evidence.ts'

const CUT_OFF = { executionId: 'e-2', pid: 7, time: 150 }
const SAID = { message: 'x', execution_id: 'e-2', message_id: 'two', daemon_id: 'D', attempt: 3 }

describe('a journal with what was cut off', () => {
  const journal = [line('start', 'one', 100, 'e-1'), line('done', 'one', 200, 'e-1')]

  it('has a start for an execution that has not written its own', () => {
    expect(withCutOff(journal, [CUT_OFF], [SAID])).toEqual([
      journal[0],
      { event: 'start', id: 'two', executionId: 'e-2', daemonId: 'D', pid: 7, attempt: 3, time: 150 },
      journal[1],
    ])
  })

  it('is as it was where each has written its own, or no log knows the message', () => {
    expect(withCutOff(journal, [{ ...CUT_OFF, executionId: 'e-1' }], [SAID])).toBe(journal)
    expect(withCutOff(journal, [CUT_OFF], [])).toBe(journal)
  })
})
