import { constants } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { complain } from '../../command-line/output.ts'
import { ALL_LINES, lineText } from '../../config/line-ranges.ts'
import { OptionError } from '../../config/option-error.ts'
import { type Added, add, BadLine } from '../../operate/dead-letters/add.ts'
import { splitLines } from '../publish/lines.ts'
import { EXIT, type Task } from './with-place.ts'

/** `dead-letters import`: from standard input, or a file. */
export async function importLetters({ config, place, signal, begin, clear }: Task): Promise<number> {
  const { file } = config
  if (file === undefined && process.stdin.isTTY)
    throw new OptionError('no letters: give an export on standard input, or with --file', 64)
  const input = file === undefined ? process.stdin : createReadStream(file)
  signal.addEventListener('abort', () => input.destroy())
  // A line is read as one text.
  const lines = splitLines(input, constants.MAX_STRING_LENGTH)
  begin()
  const added = await add(place, lines, config.lines ?? ALL_LINES, signal)
  clear()
  const { fault } = added
  if (isInputFault(fault)) complain(fault.message)
  tell(added, place.queue)
  if (isInputFault(fault)) return EXIT.badInput
  if (fault !== undefined) throw fault
  return added.left.length > 0 ? EXIT.incomplete : EXIT.done
}

function tell({ count, left, unsure }: Added, queue: string): void {
  complain(`${count} dead letters imported into "${queue}"`)
  if (left.length > 0 && (count > 0 || unsure.length > 0))
    complain(`what is missing goes in with: dead-letters import --lines ${lineText(left)}`)
  if (unsure.length > 0)
    complain(
      `of these, lines ${lineText(unsure)} may be in already: the broker has not confirmed them. A full queue has taken none of them`,
    )
}

/** Of the lines, or of the file that they are in. */
function isInputFault(error: unknown): error is Error {
  return (
    error instanceof BadLine || error instanceof OptionError || (error instanceof Error && 'syscall' in error)
  )
}
