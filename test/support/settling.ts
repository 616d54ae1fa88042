import type { Execution } from '../../src/bridge/execution.ts'
import type { BridgePolicy, Delivery, Publisher } from '../../src/bridge/ports.ts'
import { Settlement } from '../../src/bridge/settlement.ts'
import { answer } from './answers.ts'
import { config, executionOf, RecordingIntake, recordingEvents } from './recording.ts'

const POLICY: BridgePolicy = { ...config, ack: 'completed' }

/** The second execution of a message, or whichever, which is over. */
export function finished(delivery: Delivery, attempt = 2): Execution {
  const execution = executionOf(delivery, POLICY)
  execution.start()
  execution.finish({ kind: 'answered', response: answer(503) })
  execution.attempt = attempt
  execution.durationMs = 30
  return execution
}

/** A settlement of `completed` deliveries, what it tells, and what makes it give up. */
export function settlementWith(publisher: Publisher, given: Partial<BridgePolicy> = {}) {
  const events = recordingEvents()
  const stop = new AbortController()
  const intake = new RecordingIntake()
  const settlement = new Settlement({ ...POLICY, ...given }, publisher, intake, stop.signal, events.tell)
  return { events, stop, settlement, intake }
}
