import { complain } from '../../command-line/output.ts'
import { escapeInvisible } from '../../observe/invisible.ts'
import { type Departing, rehearse, replay } from '../../operate/dead-letters/replay.ts'
import { EXIT, exitCodeAfter, type Task } from './with-place.ts'

/** Lines about letters that stay; they are alike, mostly. */
const REFUSALS = 20

/**
 * `dead-letters replay`: a line for each letter before it is published. Those are the ones that may be in both queues where this is killed.
 */
export async function replayLetters({ config, place, signal, watch, clear, stop }: Task): Promise<number> {
  const { to, rate, dryRun } = config
  let [replayed, refused, doubled] = [0, 0, 0]
  // Who cannot be told what may be twice must not have it twice.
  process.stdout.once('error', () => stop('nobody reads the output'))
  const perform = dryRun ? rehearse : replay
  const walked = await perform(
    place,
    { selection: config, to, rate },
    {
      onFacts: (facts) => watch.onFacts?.(facts),
      onSeen: (seen) => watch.onSeen?.(seen),
      onDepart(letters) {
        clear()
        sayDeparture(letters)
        if (dryRun) replayed += letters.length
      },
      onReplayed() {
        replayed += 1
      },
      onRefused(letter, why) {
        refused += 1
        clear()
        if (refused <= REFUSALS) complain(`${letter.id} stays: ${why}`)
        if (refused === REFUSALS) complain('others that stay are counted, and not named')
      },
      onDoubled() {
        doubled += 1
      },
    },
    signal,
  ).finally(() => {
    clear()
    if (doubled > 0)
      complain(
        `${doubled} are in their queue, and perhaps among the dead letters as well: the connection has ended`,
      )
    complain(
      `${replayed} ${dryRun ? 'would be replayed' : 'replayed'}${refused > 0 ? `, ${refused} stay` : ''}`,
    )
  })
  return exitCodeAfter(walked, refused > 0 ? EXIT.incomplete : EXIT.done)
}

/** At once: Node.js writes to files, pipes and terminals before it returns. */
function sayDeparture(letters: readonly Departing[]): void {
  const lines = letters.map(({ letter: { id, messageId }, to }) =>
    escapeInvisible(`${id}${messageId === undefined ? '' : ` ${messageId}`} -> ${to}`),
  )
  process.stdout.write(`${lines.join('\n')}\n`)
}
