import type { BridgeEvent, Tell } from '../bridge/events.ts'
import { BRIDGE_LINES } from './log-lines/bridge.ts'
import { BROKER_LINES } from './log-lines/broker.ts'
import { CONTROL_LINES } from './log-lines/control.ts'
import { COPY_LINES } from './log-lines/copies.ts'
import { DELIVERY_LINES, SUCCESS } from './log-lines/deliveries.ts'
import type { Line, Lines } from './log-lines/line.ts'
import { REPLY_LINES } from './log-lines/replies.ts'
import type { Logger, LogLevel, LogMessages } from './logger.ts'

const LINES: Lines<BridgeEvent> = {
  ...DELIVERY_LINES,
  ...REPLY_LINES,
  ...COPY_LINES,
  ...CONTROL_LINES,
  ...BRIDGE_LINES,
  ...BROKER_LINES,
}

/**
 * Writes a line of each event that has one; users read them by their sentences, and script them by their fields.
 *
 * @param messages with `failures`, those of successes are of level debug
 */
export function logLines(log: Pick<Logger, LogLevel | 'wants'>, messages: LogMessages = 'all'): Tell {
  return (event) => {
    const row = LINES[event.kind] as
      | Line<BridgeEvent>
      | ((event: BridgeEvent) => Line<BridgeEvent>)
      | undefined
    if (row === undefined) return
    const line = typeof row === 'function' ? row(event) : row
    const [, sentence, fields] = line
    const level = messages === 'failures' && line === SUCCESS ? 'debug' : line[0]
    // What nobody reads costs no more than its event.
    if (!log.wants(level)) return
    log[level](typeof sentence === 'string' ? sentence : sentence(event), fields(event))
  }
}
