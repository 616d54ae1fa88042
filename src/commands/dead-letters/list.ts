import { complain, say } from '../../command-line/output.ts'
import { LetterGroups } from '../../operate/dead-letters/groups.ts'
import type { DeadLetter } from '../../operate/dead-letters/letter.ts'
import { lookAtChosen } from '../../operate/dead-letters/take.ts'
import { sayJson } from './letter-json.ts'
import { groupTable, letterTable } from './letter-table.ts'
import { EXIT, exitCodeAfter, type Task } from './with-place.ts'

/** Lines that are laid out together. */
const PAGE = 500

/** `dead-letters list`: a line for each letter that is meant, or for each group. */
export async function list(task: Task): Promise<number> {
  return task.config.group ? listGroups(task) : listLetters(task)
}

async function listLetters({ config, place, signal, watch, clear }: Task): Promise<number> {
  let page: DeadLetter[] = []
  let [listed, headed] = [0, false]
  const turnPage = (): void => {
    clear()
    if (config.json) for (const letter of page) sayJson(letter)
    else for (const line of letterTable(page, widthOf()).slice(headed ? 1 : 0)) say(line)
    headed ||= page.length > 0
    page = []
  }
  const walked = await lookAtChosen(
    place,
    config,
    (letter) => {
      listed += 1
      page.push(letter)
      if (page.length >= PAGE) turnPage()
      return undefined
    },
    watch,
    signal,
  )
  if (page.length > 0) turnPage()
  clear()
  if (!config.json) complain(`${listed} of ${walked.seen} dead letters in "${place.queue}"`)
  return exitCodeAfter(walked, EXIT.done)
}

async function listGroups({ config, place, signal, watch, clear }: Task): Promise<number> {
  const groups = new LetterGroups()
  const add = (letter: DeadLetter): undefined => void groups.add(letter)
  const walked = await lookAtChosen(place, config, add, watch, signal)
  clear()
  const { all, others } = groups
  if (config.json) for (const group of all) sayJson(group)
  else if (all.length > 0) for (const line of groupTable(all, widthOf())) say(line)
  if (others > 0)
    complain(`${others} letters more, of further groups: choose by --reason, --since or --until`)
  if (!config.json)
    complain(
      `${all.length} ${all.length === 1 ? 'group' : 'groups'} of ${walked.seen} dead letters in "${place.queue}"`,
    )
  return exitCodeAfter(walked, EXIT.done)
}

function widthOf(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined
}
