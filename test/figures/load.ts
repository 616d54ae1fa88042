import { setTimeout as sleep } from 'node:timers/promises'
import type { Asked } from '../chaos/message-plan.ts'
import type { Stand } from '../chaos/stand.ts'

/** Fewer in the queue, and more are published. */
const LOW = 300

/** Keeps a queue from getting empty. */
export class Load {
  readonly #stand: Stand
  readonly #asked: Asked
  readonly #feeding: Promise<void>
  #count = 0
  #stopped = false

  /** @param asked what each of its messages asks for */
  constructor(stand: Stand, asked: Asked) {
    this.#stand = stand
    this.#asked = asked
    this.#feeding = this.#feed()
  }

  /** Resolves when what is published is confirmed. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#feeding
  }

  async #feed(): Promise<void> {
    while (!this.#stopped) {
      if ((await this.#stand.ready()) < LOW)
        await publishMany(this.#stand, 'L', LOW, this.#asked, this.#count)
      else await sleep(5)
      this.#count = this.#stand.published.size
    }
  }
}

/** `count` messages with the ids `<name>-<n>`; resolves when the broker has confirmed them. */
export async function publishMany(
  stand: Stand,
  name: string,
  count: number,
  asked: Asked = {},
  from = 0,
): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => `${name}-${from + index + 1}`)
  await Promise.all(ids.map((id) => stand.publish(id, asked)))
}
