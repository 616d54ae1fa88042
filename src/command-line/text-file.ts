import { OptionError } from '../config/option-error.ts'
import { readSmallFile } from '../config/small-file.ts'

/**
 * The text of a file that an option names, without its byte order mark.
 *
 * @throws {OptionError} that names the option, and not the path: somebody will put the secret itself into FPM_BRIDGE_URL_FILE
 */
export function readTextFile(option: string, path: string): string {
  try {
    return decode(readSmallFile(path))
  } catch (error) {
    throw unreadable(option, error as Error)
  }
}

function unreadable(option: string, { message }: Error): OptionError {
  return new OptionError(`${option} names a file that ${message}`, 78)
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Error('is not UTF-8', { cause })
  }
}
