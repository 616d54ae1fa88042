import yargs from 'yargs'
import { names, refuse, wholeNumber } from '../chaos/option-values.ts'
import { bridgesApart } from './bridges-apart.ts'
import { brokenApplication, poison } from './broken-application.ts'
import { control } from './control.ts'
import { deadLetters } from './dead-letters.ts'
import type { Measurement } from './figure.ts'
import { firstRetries } from './first-retries.ts'
import { fleet } from './fleet.ts'
import { idleBridges } from './idle-bridges.ts'
import { many } from './many.ts'
import { poolEnds } from './pool-ends.ts'
import { readyz } from './readyz.ts'
import { reload } from './reload.ts'
import { reloadBridges } from './reload-bridges.ts'
import { scrape } from './scrape.ts'
import { sharedConnections } from './shared-connections.ts'
import { top } from './top.ts'
import { unpublishable } from './unpublishable.ts'

/** What can be measured, by the name that the command line takes. */
export const MEASUREMENTS = {
  reload,
  'pool-ends': poolEnds,
  'broken-application': brokenApplication,
  poison,
  unpublishable,
  'first-retries': firstRetries,
  'shared-connections': sharedConnections,
  'bridges-apart': bridgesApart,
  'idle-bridges': idleBridges,
  'reload-bridges': reloadBridges,
  fleet,
  readyz,
  scrape,
  control,
  top,
  many,
  'dead-letters': deadLetters,
} as const satisfies Readonly<Record<string, Measurement>>

export type MeasurementName = keyof typeof MEASUREMENTS

const ALL = Object.keys(MEASUREMENTS) as MeasurementName[]

/** Reads the command line. Prints the help and exits 0, or one line about what is wrong and exits 64, where it must. */
export function readOptions(args: readonly string[]): {
  readonly only: readonly MeasurementName[]
  readonly yes: boolean
  /** Of processes of a fleet. */
  readonly kills: number
} {
  const parsed = yargs([...args])
    .scriptName('npm run figures --')
    .usage(
      `$0 [options]\n\nMeasures what faults cost, on services of its own, and compares it with the limits.`,
    )
    .option('only', {
      type: 'string',
      default: ALL.join(','),
      describe: 'what to measure, separated by commas',
    })
    .option('yes', { type: 'boolean', default: false, describe: 'install missing packages without asking' })
    .option('kills', { type: 'number', default: 300, describe: 'processes that fleet kills, one a second' })
    .strict()
    .version(false)
    .fail((message, error) => refuse(message || String(error)))
    .parseSync()
  return {
    only: names('only', parsed.only, ALL),
    yes: parsed.yes,
    kills: wholeNumber('kills', parsed.kills, 1, 100_000),
  }
}
