import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** Bytes. Of certificates: a system's whole list has a quarter of it. */
const MAX_BYTES = 1024 ** 2

/**
 * Reads a file that somebody named. Reading a device may have no end, and opening a pipe may have none either.
 *
 * @throws {Error} whose message completes the sentence "a file, which ..." and names nothing of what was given: it may be
 * the secret itself
 */
export function readSmallFile(path: string): Buffer {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) throw new Error('is a directory')
    if (!stats.isFile()) throw new Error('is a pipe, a socket or a device')
    return readUpTo(path, MAX_BYTES)
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException)
  }
}

/** What a file says of its size is not believed: those in /proc say 0. */
function readUpTo(path: string, max: number): Buffer {
  const bytes = Buffer.alloc(max + 1)
  const fd = openSync(path, 'r')
  try {
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null)
    if (length > max) throw new Error('is larger than 1 MiB')
    return bytes.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}

function explained(error: NodeJS.ErrnoException): Error {
  if (error.code === undefined) return error
  return new Error(error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`)
}
