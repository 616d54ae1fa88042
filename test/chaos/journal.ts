import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** One line of php/worker.php. */
export interface JournalLine {
  /** `failed`: it ended as the message asked for, with a 503. An execution that was killed has no end. */
  readonly event: 'start' | 'done' | 'failed'
  readonly id: string
  readonly executionId: string
  readonly daemonId: string
  readonly pid: number
  readonly attempt: number
  /** Milliseconds since the epoch. */
  readonly time: number
}

const LINE = /^(start|done|failed) (\S+) (\S+) (\S+) (\d+) (\d+) (\d+\.\d+)$/

/** Milliseconds. */
const DISORDER = 5_000

/** @throws when a line is not one of the worker's: the journal is then not the whole truth */
export function parseJournalLine(line: string): JournalLine {
  const match = LINE.exec(line)
  if (match === null) throw new Error(`Not a line of the worker: ${JSON.stringify(line)}`)
  const [, event, id, executionId, daemonId, pid, attempt, time] = match as unknown as [
    string,
    JournalLine['event'],
    ...string[],
  ]
  return {
    event,
    id: id as string,
    executionId: executionId as string,
    daemonId: daemonId as string,
    pid: Number(pid),
    attempt: Number(attempt),
    time: Number(time),
  }
}

/** Follows the journal while the workers write it. */
export class Journal {
  readonly #file: number
  readonly #lines: JournalLine[] = []
  readonly #running = new Map<string, JournalLine>()
  #position = 0
  #partial = ''

  constructor(path: string) {
    this.#file = openSync(path, 'a+')
  }

  /** All lines so far. */
  read(): readonly JournalLine[] {
    const size = fstatSync(this.#file).size
    if (size === this.#position) return this.#lines
    const added = Buffer.alloc(size - this.#position)
    const length = readSync(this.#file, added, 0, added.length, this.#position)
    this.#position += length
    const lines = (this.#partial + added.toString('latin1', 0, length)).split('\n')
    this.#partial = lines.pop() ?? ''
    for (const line of lines) this.#take(parseJournalLine(line))
    return this.#lines
  }

  /** The executions that have started and not ended; those that were killed stay for ever. */
  running(): readonly JournalLine[] {
    this.read()
    return [...this.#running.values()]
  }

  /** The lines from that time on, in the order in which they were written. */
  since(from: number): readonly JournalLine[] {
    const lines = this.read()
    let index = lines.length
    // Children that write at once may be out of order by a little, never by seconds.
    while (index > 0 && (lines[index - 1] as JournalLine).time >= from - DISORDER) index -= 1
    return lines.slice(index).filter(({ time }) => time >= from)
  }

  close(): void {
    closeSync(this.#file)
  }

  #take(line: JournalLine): void {
    this.#lines.push(line)
    if (line.event === 'start') this.#running.set(line.executionId, line)
    else this.#running.delete(line.executionId)
  }
}
