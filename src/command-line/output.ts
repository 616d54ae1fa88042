import type { Writable } from 'node:stream'
import { escapeInvisible } from '../observe/invisible.ts'
import { flushLines } from '../observe/line-buffer.ts'

/** Milliseconds that whoever reads our output gets for the last of it. */
const PATIENCE = 1_000

/** Resolves when everything that was written to the stream has been taken, or cannot be any more. Never rejects. */
export function taken(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}

/** Resolves when the output of the process has been taken, at the latest after a second: its reader may stand still. */
export async function lastWords(): Promise<void> {
  flushLines()
  const unread = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0)
  if (unread.length === 0) return
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE))
  await Promise.race([Promise.all(unread.map(taken)), late])
}

/** A line of standard output. Bodies and brokers say what they like; it stays one. */
export function say(text: string): void {
  process.stdout.write(`${escapeInvisible(text)}\n`)
}

/** A line of standard error. */
export function complain(text: string): void {
  process.stderr.write(`fpm-bridge: ${escapeInvisible(text)}\n`)
}

/** A line of standard error that is no complaint: what is said beside a result. */
export function remark(text: string): void {
  process.stderr.write(`${escapeInvisible(text)}\n`)
}
