import yargs from 'yargs'
import { names, refuse, seedOf, wholeNumber } from '../option-values.ts'
import type { CutOptions } from './model.ts'
import { ALL_DEEDS, POINTS } from './points.ts'

/** Reads the command line. Prints the help and exits 0, or one line about what is wrong and exits 64, where it must. */
export function readOptions(args: readonly string[]): CutOptions & { readonly yes: boolean } {
  const parsed = yargs([...args])
    .scriptName('npm run cuts --')
    .usage(
      `$0 [options]\n\nKills, resets and cuts at ${POINTS.length} points in the life of a message, just when it is there, and ` +
        'compares what was published with what became of it.',
    )
    .option('mode', {
      choices: ['completed', 'dispatched', 'both'] as const,
      default: 'both' as const,
      describe: "the daemons' --ack",
    })
    .option('rounds', {
      type: 'number',
      default: POINTS.length * ALL_DEEDS.length,
      describe: 'of each mode, in turn over points and deeds',
    })
    .option('seed', { type: 'number', describe: 'repeats the rounds of another run; otherwise made up' })
    .option('only', { type: 'string', describe: `deeds, separated by commas: ${ALL_DEEDS.join(', ')}` })
    .option('yes', { type: 'boolean', default: false, describe: 'install missing packages without asking' })
    .strict()
    .version(false)
    .fail((message, error) => refuse(message || String(error)))
    .parseSync()

  return {
    modes: parsed.mode === 'both' ? ['completed', 'dispatched'] : [parsed.mode],
    rounds: wholeNumber('rounds', parsed.rounds, 1, 100_000),
    seed: seedOf(parsed.seed),
    deeds: parsed.only === undefined ? ALL_DEEDS : names('only', parsed.only, ALL_DEEDS),
    yes: parsed.yes,
  }
}
