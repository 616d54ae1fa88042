import { statfsSync } from 'node:fs'

/** Milliseconds between two looks. */
const INTERVAL = 500

const MIB = 1024 * 1024

/** Remembers how little room there was on a disk: a broker without any fails, and so does whatever test is running then. */
export class RoomWatch {
  readonly #folder: string
  readonly #timer: NodeJS.Timeout
  #lowest = Number.POSITIVE_INFINITY

  constructor(folder: string) {
    this.#folder = folder
    this.#timer = setInterval(() => this.#look(), INTERVAL).unref()
  }

  /** @returns MiB that were free at the least */
  close(): number {
    clearInterval(this.#timer)
    this.#look()
    return Math.floor(this.#lowest / MIB)
  }

  #look(): void {
    const { bavail, bsize } = statfsSync(this.#folder)
    this.#lowest = Math.min(this.#lowest, bavail * bsize)
  }
}
