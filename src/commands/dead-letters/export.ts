import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { complain, taken } from '../../command-line/output.ts'
import { lineOf, TooLarge } from '../../operate/dead-letters/letter-text.ts'
import { lookAtChosen } from '../../operate/dead-letters/take.ts'
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
  let [exported, leftOut] = [0, 0]
  const walked = await lookAtChosen(
    place,
    config,
    (letter, delivery) => {
      if (letter.defect !== undefined)
        complain(`${letter.id} is exported without its headers: ${letter.defect}`)
      const line = lineIn(letter, delivery)
      if (line === undefined) {
        leftOut += 1
        return undefined
      }
      exported += 1
      return output.write(line) ? undefined : taken(output)
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
  return exitCodeAfter(walked, leftOut > 0 ? EXIT.incomplete : EXIT.done)
}

/** Says so where it is too large for one. */
function lineIn(...whole: Parameters<typeof lineOf>): string | undefined {
  try {
    return `${lineOf(...whole)}\n`
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    complain(`${error.message}; it is left out`)
    return undefined
  }
}
