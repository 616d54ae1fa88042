/** A figure that is to be reached; undefined when its section did not run. */
export interface Target {
  readonly what: string
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number }
  readonly value: number
  /** Of the rounds, where there are several. */
  readonly least?: number
  readonly most?: number
}
