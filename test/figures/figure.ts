import type { Figure } from '../chaos/figures.ts'
import type { OwnBroker } from '../support/broker.ts'
import type { Releases } from '../support/releases.ts'

/** What a measurement gets. */
export interface Site {
  /** Of its own. */
  readonly broker: OwnBroker
  /** Gets what takes each thing down, as soon as it is there. */
  readonly releases: Releases
  /** How many processes of a fleet are to be killed. */
  readonly kills: number
  /** Takes a line for the one who watches. */
  readonly say: (line: string) => void
}

/** Measures something; resolves with its figures, each with its limit. */
export type Measurement = (site: Site) => Promise<readonly Figure[]>

/** Of what must not occur. */
export const none = (what: string, value: number): Figure => ({ what, value, atMost: 0, unit: '' })

export const seconds = (what: string, milliseconds: number, atMost: number): Figure => {
  return { what, value: milliseconds / 1_000, atMost, unit: 's' }
}
