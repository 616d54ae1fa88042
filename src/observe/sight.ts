import type { BridgeEvent } from '../bridge/events.ts'
import { ageOf } from './message-age.ts'
import { Rate } from './rate.ts'

/** What operators see of a bridge that only its events tell. It keeps nothing for each of them. */
export class Sight {
  readonly #rate = new Rate()
  #ageOfLast: number | undefined

  hear(event: BridgeEvent): void {
    this.#rate.hear(event)
    if (event.kind === 'started' && event.timestamp !== undefined) this.#ageOfLast = ageOf(event.timestamp)
  }

  /** Messages that ended in the last 10 s, a second. */
  get perSecond(): number {
    return this.#rate.perSecond
  }

  /** Seconds from when the message that has started last was published, by its timestamp, to its start. */
  get ageOfLast(): number | undefined {
    return this.#ageOfLast
  }
}
