import { ratios } from './statistics.ts'

/** A figure that is to be reached; undefined when its section did not run. */
export interface Target {
  readonly what: string
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number }
  readonly value: number
  /** Of the rounds, where there are several. */
  readonly least?: number
  readonly most?: number
}

/** The one divided by the other, round by round. */
export function compared(
  what: string,
  wanted: Target['wanted'],
  one: readonly number[],
  other: readonly number[],
): Target {
  const { median: value, least, most } = ratios(one, other)
  return { what, wanted, value, least, most }
}
