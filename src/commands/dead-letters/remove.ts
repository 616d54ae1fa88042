import { complain, say } from '../../command-line/output.ts'
import { OptionError } from '../../config/option-error.ts'
import { remove } from '../../operate/dead-letters/remove.ts'
import { ask } from './ask.ts'
import { EXIT, exitCodeAfter, type Task } from './with-place.ts'

/** `dead-letters delete ID...` */
export function deleteLetters(task: Task): Promise<number> {
  const { words } = task.config
  const what = words.length === 1 ? `the dead letter ${words[0]}` : `${words.length} dead letters`
  return removeAfterAsking(task, `Delete ${what} of "${task.place.queue}" for good?`)
}

/** `dead-letters purge`: all that are meant; without a choice, all. */
export function purge(task: Task): Promise<number> {
  const { words, reason, since, until } = task.config
  const isAll = words.length === 0 && [reason, since, until].every((each) => each === undefined)
  const what = isAll ? 'ALL dead letters' : 'the dead letters that are meant'
  return removeAfterAsking(task, `Delete ${what} of "${task.place.queue}" for good?`)
}

async function removeAfterAsking(
  { config, place, signal, watch, clear }: Task,
  question: string,
): Promise<number> {
  if (!config.yes) {
    if (!process.stdin.isTTY)
      throw new OptionError(
        `dead-letters ${config.action} asks on a terminal; without one it needs --yes`,
        64,
      )
    if (!(await ask(question, signal))) {
      complain('nothing is deleted')
      return EXIT.incomplete
    }
  }
  let removed = 0
  const onRemoved = (): void => {
    removed += 1
  }
  const walked = await remove(place, config, onRemoved, watch, signal).finally(() => {
    clear()
    say(`${removed} deleted`)
  })
  return exitCodeAfter(walked, EXIT.done)
}
