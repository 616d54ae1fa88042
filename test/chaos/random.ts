/** Numbers that look random and are the same for the same seed, on every machine. */
export interface Random {
  /** 0 <= number < 1. */
  next(): number
  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number
  /** The list in another order. */
  shuffled<T>(list: readonly T[]): T[]
}

/**
 * mulberry32: 32 bits of state, which is plenty for a schedule.
 *
 * @param seed any whole number; of it 32 bits count
 */
export function seeded(seed: number): Random {
  let state = seed | 0

  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  const integer = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))

  return {
    next,
    integer,
    shuffled(list) {
      const keyed = list.map((entry) => ({ entry, key: next() }))
      return keyed.sort((a, b) => a.key - b.key).map(({ entry }) => entry)
    },
  }
}
