import { closeSync, constants, openSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { OptionError } from '../config/option-error.ts'
import type { Log } from '../observe/logger.ts'
import type { ProcessRecord } from './process-record.ts'

/** Appended at the end, whoever else writes; of a pipe that nobody reads an error, and no waiting. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

/**
 * @param path a file that need not exist yet
 * @throws {OptionError} where it cannot come to exist
 */
export function refuseRecordFile(path: string): void {
  const folder = dirname(path)
  if (!isFolder(folder))
    throw new OptionError(`--record-file ${path}: there is no folder ${folder}; make it`, 78)
  if (isFolder(path)) throw new OptionError(`--record-file ${path} is a folder; name a file`, 78)
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/**
 * Appends a line of JSON, with one write: processes may share the file. It is opened for each record, so that after logrotate has
 * renamed it the next one goes to a new file. A file that fails costs its record and a warning, nothing else.
 */
export function appendRecord(path: string, record: ProcessRecord, log: Log): void {
  try {
    const line = Buffer.from(`${JSON.stringify(record)}\n`)
    const fd = openSync(path, APPEND, 0o666)
    try {
      const written = writeSync(fd, line)
      if (written < line.length) throw new Error(`${written} of ${line.length} bytes were written`)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn('The record of this process is not in --record-file; it is in the log.', { file: path, reason })
  }
}
