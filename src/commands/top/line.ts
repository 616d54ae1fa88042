/** Of a terminal, in characters. */
export interface Size {
  readonly columns: number
  /** Infinity where there is no end. */
  readonly rows: number
}

/** A line of the picture, at most as wide as the terminal. */
export interface Line {
  readonly text: string
  readonly style?: 'strong' | 'selected' | 'alarm'
}
