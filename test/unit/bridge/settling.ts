import type { BridgePolicy, Publisher } from '../../../src/bridge/ports.ts'
import { type FinishedExecution, Settlement } from '../../../src/bridge/settlement.ts'
import { config, RecordingIntake, recordingLog } from './recording.ts'

/** The second execution of a message. */
export const ENDED: FinishedExecution = {
  deliveryTag: 7,
  executionId: 'e-1',
  messageId: 'm-1',
  correlationId: undefined,
  type: undefined,
  attempt: 2,
  durationMs: 30,
  unread: 0,
}

const { unread: _, ...logged } = ENDED
/** What log lines say of it. */
export const LOGGED = logged

/** A settlement of `completed` deliveries, its log, and what makes it give up. */
export function settlementWith(publisher: Publisher, given: Partial<BridgePolicy> = {}) {
  const log = recordingLog()
  const stop = new AbortController()
  const intake = new RecordingIntake()
  const settings: BridgePolicy = { ...config, ack: 'completed', ...given }
  const settlement = new Settlement(settings, publisher, intake, stop.signal, log)
  return { log, stop, settlement, intake }
}
