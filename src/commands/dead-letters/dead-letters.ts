import { whatWasMeant } from '../../command-line/did-you-mean.ts'
import { LETTER_ACTIONS, type LetterAction } from '../../config/dead-letters-config.ts'
import { OptionError } from '../../config/option-error.ts'
import type { Invocation } from '../command.ts'
import { edit } from './edit.ts'
import { exportLetters } from './export.ts'
import { importLetters } from './import.ts'
import { list } from './list.ts'
import { deleteLetters, purge } from './remove.ts'
import { replayLetters } from './replay.ts'
import { show } from './show.ts'
import { type Act, withPlace } from './with-place.ts'

const ACTS: Readonly<Record<LetterAction, Act>> = {
  list,
  show,
  replay: replayLetters,
  edit,
  delete: deleteLetters,
  purge,
  export: exportLetters,
  import: importLetters,
}

/**
 * `fpm-bridge dead-letters ACTION`: what was given up, of a bridge or of anybody else.
 *
 * @returns the exit code: 0 done, 65 no such letter, or bad input; 69 no broker; 75 stopped half-way, or not all done; 78 refused
 * @throws {OptionError}
 */
export function deadLetters(invocation: Invocation): Promise<number> {
  const [action, ...words] = invocation.words
  return withPlace(invocation, actionOf(action), words, (name) => ACTS[name])
}

function actionOf(word: string | undefined): LetterAction {
  const action = LETTER_ACTIONS.find((name) => name === word)
  if (action !== undefined) return action
  const all = `${LETTER_ACTIONS.slice(0, -1).join(', ')} or ${LETTER_ACTIONS.at(-1)}`
  if (word === undefined) throw new OptionError(`dead-letters takes what is to be done: ${all}`, 64)
  const meant = whatWasMeant(word, LETTER_ACTIONS)
  const hint = meant === undefined ? `it must be ${all}` : `did you mean ${meant}?`
  throw new OptionError(`dead-letters cannot ${JSON.stringify(word)}; ${hint}`, 64)
}
