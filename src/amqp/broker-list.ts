import type { Tell } from '../bridge/events.ts'
import { BrokerError } from './broker-error.ts'
import { type BrokerUrl, formatBrokerUrl } from './broker-url.ts'

/**
 * The brokers of a failover list. Consumer and publisher share one, so that either, when it has to connect, begins with
 * the broker that the other one works with.
 */
export class BrokerList {
  readonly #brokers: readonly BrokerUrl[]
  readonly #tell: Tell
  /** The index of the one that worked last. */
  #first = 0

  /** @param brokers one at least */
  constructor(brokers: readonly BrokerUrl[], tell: Tell) {
    this.#brokers = brokers
    this.#tell = tell
  }

  /** To be called once at start: nobody shall forget that --tls-insecure is on. */
  warnOfInsecure(): void {
    const insecure = this.#brokers.filter(({ tls }) => tls?.insecure)
    for (const broker of insecure) this.#tell({ kind: 'broker-unverified', broker: formatBrokerUrl(broker) })
  }

  /**
   * Goes through the list once, without a pause, until `open` succeeds. Begins with the broker that worked last: after
   * a lost connection its queue is the one to go on with, and if it is gone, that is known at once.
   *
   * @returns what was opened, and where
   * @throws {BrokerError} when none can be used: permanent only if every one is refused permanently
   */
  async open<T>(open: (broker: BrokerUrl) => Promise<T>): Promise<[opened: T, broker: BrokerUrl]> {
    const failures: Failure[] = []
    // Whoever else connects meanwhile may change it: each broker is to be tried once all the same.
    const first = this.#first
    for (let step = 0; step < this.#brokers.length; step += 1) {
      const index = (first + step) % this.#brokers.length
      const broker = this.#brokers[index] as BrokerUrl
      try {
        const opened = await open(broker)
        this.#first = index
        for (const failure of failures) this.#tell({ kind: 'broker-passed-over', reason: explain(failure) })
        return [opened, broker]
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error
        failures.push({ broker, error })
      }
    }
    throw inOne(failures)
  }
}

interface Failure {
  readonly broker: BrokerUrl
  readonly error: BrokerError
}

function inOne(failures: readonly Failure[]): BrokerError {
  const errors = failures.map(({ error }) => error)
  const [first, ...others] = errors as [BrokerError, ...BrokerError[]]
  if (others.length === 0) return first
  // What may change by itself decides how long all are waited for.
  const { code } = errors.find(({ permanent }) => !permanent) ?? first
  const message = `no broker of --url can be used: ${failures.map(explain).join('; ')}`
  return new BrokerError(code, message, { cause: new AggregateError(errors) })
}

/** What is wrong with a connection names its broker already; what is wrong with a queue does not. */
function explain({ broker, error: { message } }: Failure): string {
  const where = formatBrokerUrl(broker)
  return message.includes(where) ? message : `${where}: ${message}`
}
