import { flushLines } from '../observe/line-buffer.ts'
import type { Log } from '../observe/logger.ts'
import type { EndReason, ProcessHistory, ProcessRecord } from './process-record.ts'
import { appendRecord } from './record-file.ts'

/** Has the process leave its record, once, whichever way it ends; after a SIGKILL there is none. */
export class ProcessEnd {
  readonly #history: ProcessHistory
  readonly #file: string | undefined
  readonly #log: Log
  readonly #tell: (record: ProcessRecord) => void
  #reason: EndReason | undefined
  #isRecorded = false

  /**
   * @param file where the record is appended, beside the log
   * @param tell hears of the record, too
   */
  constructor(
    history: ProcessHistory,
    file: string | undefined,
    log: Log,
    tell: (record: ProcessRecord) => void = () => {},
  ) {
    this.#history = history
    this.#file = file
    this.#log = log
    this.#tell = tell
    process.once('exit', () => {
      this.record()
      flushLines()
    })
  }

  /** Why it is about to end. The first reason counts. */
  because(reason: EndReason): void {
    this.#reason ??= reason
  }

  /** It ends before anything has begun: there will be no record. */
  waive(): void {
    this.#isRecorded = true
  }

  /** Writes the record, if that has not happened. */
  record(): void {
    if (this.#isRecorded) return
    this.#isRecorded = true
    const record = this.#history.record(this.#reason ?? 'fault')
    this.#log.info('The record of this process.', { ...record })
    this.#tell(record)
    if (this.#file !== undefined) appendRecord(this.#file, record, this.#log)
  }
}
