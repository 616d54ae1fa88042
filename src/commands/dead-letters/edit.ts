import { constants, isUtf8 } from 'node:buffer'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { complain } from '../../command-line/output.ts'
import { type Found, find, replayEdited } from '../../operate/dead-letters/edit.ts'
import { BadEdit, editableText, editedContent } from '../../operate/dead-letters/edit-text.ts'
import type { Content } from '../../operate/dead-letters/letter-text.ts'
import { targetOf } from '../../operate/dead-letters/replay.ts'
import { ask } from './ask.ts'
import { Departures } from './departures.ts'
import { runEditor } from './editor.ts'
import { EXIT, type Task } from './with-place.ts'

/**
 * `dead-letters edit ID`: headers, properties and body in an editor, and then the message goes where it came from. Nobody has the letter
 * meanwhile: it is looked at, and fetched once more when the editor is done. Whatever goes wrong, the text stays in its file.
 */
export async function edit(task: Task): Promise<number> {
  const { config, place, signal, watch, clear } = task
  const found = await find(place, config.words[0] ?? '', watch, signal)
  clear()
  if (found === undefined) return EXIT.incomplete
  const target = targetOf(found.letter, config.to, place.queue)
  if ('refusal' in target) {
    complain(`${found.letter.id} cannot be replayed: ${target.refusal}`)
    return EXIT.badInput
  }
  const text = editableText(found.content, hintFor(found, target.queue))
  const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-'))
  const file = join(folder, `letter-${found.letter.id}.txt`)
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  const departures = new Departures(task)
  let isOver = false
  try {
    const content = await edited(file, text, found, signal)
    if (content === 'unchanged') {
      isOver = true
      complain('nothing was changed, and nothing is done')
      return EXIT.done
    }
    if (typeof content === 'number') return content
    const replayed = replayEdited(place, found.letter, content, target.queue, departures, signal)
    await departures.follow(replayed)
    return departures.arrived > 0 ? departures.exitCode : EXIT.incomplete
  } finally {
    if (isOver || departures.arrived > 0) rmSync(folder, { recursive: true })
    else complain(`the letter stays as it is; what was written is in ${file}`)
  }
}

function hintFor({ letter, alike }: Found, queue: string): readonly string[] {
  return [
    `Dead letter ${letter.id}${alike > 1 ? `, one of ${alike} that are alike` : ''}`,
    ...(letter.reason === undefined ? [] : [letter.reason]),
    `Change it, save it, and leave the editor: the message then goes to "${queue}". Unchanged, it stays where it is.`,
    'Headers are [name, type, value]; the type is the letter that AMQP has for it (S: text, l: integer, t: true or false).',
  ]
}

/** Until it is right, or nobody wants to go on. @returns the exit code where there is nothing to replay */
async function edited(
  file: string,
  before: string,
  { content }: Found,
  signal: AbortSignal,
): Promise<Content | 'unchanged' | number> {
  for (;;) {
    const failure = await runEditor(file)
    if (failure !== undefined || signal.aborted) {
      complain(failure ?? 'stopped')
      return EXIT.incomplete
    }
    try {
      const text = textIn(file)
      return text === before ? 'unchanged' : editedContent(text, content)
    } catch (error) {
      if (!(error instanceof BadEdit)) throw error
      complain(error.message)
      if (!process.stdin.isTTY || !(await ask('Edit it once more?', signal))) return EXIT.badInput
    }
  }
}

/** @throws {BadEdit} */
function textIn(file: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new BadEdit(`the text cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (bytes.length > constants.MAX_STRING_LENGTH) throw new BadEdit(`the text has ${bytes.length} bytes`)
  if (!isUtf8(bytes)) throw new BadEdit('the text is no UTF-8')
  return bytes.toString()
}
