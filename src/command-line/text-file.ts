import { OptionError } from '../config/option-error.ts'
import { readSmallFile } from '../config/small-file.ts'

/**
 * The text of a file that an option names, without its byte order mark.
 *
 * @param subject of a complaint: `FPM_BRIDGE_URL_FILE names a file that`. Without the path where somebody will put the secret itself
 * @throws {OptionError} where the file cannot be read
 */
export function readTextFile(subject: string, path: string): string {
  try {
    return decode(readSmallFile(path))
  } catch (error) {
    throw unreadable(subject, error as Error)
  }
}

function unreadable(subject: string, { message }: Error): OptionError {
  return new OptionError(`${subject} ${message}`, 78)
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Error('is not UTF-8', { cause })
  }
}
