import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What it took to make the form of a large body. */
export interface LargeForm {
  /** Bytes. */
  readonly body: number
  /** Bytes, or why there is no form. */
  readonly made: number | string
  readonly milliseconds: number
  /** Milliseconds of CPU time for which the event loop was blocked at most. */
  readonly longest: number
  /** How often the event loop had its turn. */
  readonly turns: number
  /** Bytes of memory beyond the body, at most. */
  readonly held: number
}

const PROGRAM = fileURLToPath(new URL('large-form-process.ts', import.meta.url))

/**
 * Makes the form of a large body in a process of its own, with a heap of 256 MiB.
 *
 * @param shape a name of SHAPES
 * @param bytes of the body
 * @throws when the process crashes
 */
export async function makeLargeForm(shape: string, bytes: number): Promise<LargeForm> {
  const options = ['--max-old-space-size=256', '--import', 'tsx', PROGRAM, shape, String(bytes)]
  const { stdout } = await promisify(execFile)(process.execPath, options)
  return JSON.parse(stdout)
}
