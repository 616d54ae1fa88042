import type { Tell } from '../bridge/events.ts'
import { Counters } from '../observe/counters.ts'
import { logLines } from '../observe/log-lines.ts'
import type { Logger } from '../observe/logger.ts'
import { Minute } from '../observe/minute.ts'
import { Sight } from '../observe/sight.ts'
import type { BridgeView } from '../observe/views.ts'
import type { Surroundings } from './surroundings.ts'

/** All who hear what a bridge tells. What is to watch more is added here. */
export class BridgeSubscribers {
  readonly counters = new Counters()
  readonly minute: Minute
  /** What operators see, if there are any. */
  readonly sight: Sight | undefined
  readonly #hearing: readonly Tell[]

  /** @param look the bridge at the end of each minute */
  constructor(
    queue: string,
    { process, subscriber, watch, control }: Surroundings,
    look: () => BridgeView,
    log: Logger,
  ) {
    const minute = new Minute(log, look)
    const sight = control && new Sight()
    this.minute = minute
    this.sight = sight
    const ifAny = (tell: Tell | undefined) => (tell === undefined ? [] : [tell])
    this.#hearing = [
      (event) => this.counters.count(event),
      logLines(log, process.logMessages),
      (event) => minute.hear(event),
      ...ifAny(subscriber(queue)),
      ...ifAny(sight && ((event) => sight.hear(event))),
      ...ifAny(control?.failures.subscriber(queue)),
      watch,
    ]
  }

  readonly tell: Tell = (event) => {
    for (const hear of this.#hearing) hear(event)
  }
}
