import { createReadStream, createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { complain, taken } from '../../command-line/output.ts'
import { OptionError } from '../../config/option-error.ts'
import { add, BadLine } from '../../operate/dead-letters/add.ts'
import { lineOf } from '../../operate/dead-letters/letter-text.ts'
import { lookAtChosen } from '../../operate/dead-letters/take.ts'
import { splitLines } from '../publish/lines.ts'
import { EXIT, exitCodeAfter, type Task } from './with-place.ts'

/** `dead-letters export`: a line of JSON for each letter that is meant. They stay where they are. */
export async function exportLetters({ config, place, signal, watch, clear, stop }: Task): Promise<number> {
  const { file } = config
  // What messages say is nobody else's business.
  const output = file === undefined ? process.stdout : createWriteStream(file, { flags: 'wx', mode: 0o600 })
  let fault: Error | undefined
  output.once('error', (error: Error) => {
    fault = error
    stop('the output cannot be written')
  })
  let exported = 0
  const walked = await lookAtChosen(
    place,
    config,
    (letter, delivery) => {
      if (letter.defect !== undefined)
        complain(`${letter.id} is exported without its headers: ${letter.defect}`)
      exported += 1
      return output.write(`${lineOf(letter, delivery)}\n`) ? undefined : taken(output)
    },
    watch,
    signal,
  )
  if (file !== undefined && fault === undefined) {
    output.end()
    await finished(output).catch((error: Error) => {
      fault = error
    })
  }
  clear()
  if (fault !== undefined) {
    complain(`${file ?? 'standard output'} cannot be written: ${fault.message}`)
    return EXIT.incomplete
  }
  complain(`${exported} of ${walked.seen} dead letters of "${place.queue}" exported`)
  return exitCodeAfter(walked, EXIT.done)
}

/** `dead-letters import`: from standard input, or a file. */
export async function importLetters({ config, place, signal, clear }: Task): Promise<number> {
  const { file } = config
  if (file === undefined && process.stdin.isTTY)
    throw new OptionError('no letters: give an export on standard input, or with --file', 64)
  const input = file === undefined ? process.stdin : createReadStream(file)
  signal.addEventListener('abort', () => input.destroy())
  let added = 0
  try {
    const lines = splitLines(input)
    await add(place, lines, (sum) => (added = sum), signal)
  } catch (error) {
    if (signal.aborted) return EXIT.incomplete
    if (error instanceof BadLine || error instanceof OptionError || isFileError(error)) {
      complain((error as Error).message)
      return EXIT.badInput
    }
    throw error
  } finally {
    clear()
    complain(`${added} dead letters imported into "${place.queue}"`)
  }
  return signal.aborted ? EXIT.incomplete : EXIT.done
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
