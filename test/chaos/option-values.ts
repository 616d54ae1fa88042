/* What the commands' options have in common: one line about what is wrong, and exit code 64. */

const LARGEST_SEED = 2 ** 31 - 1

/** Made up when there is none. */
export function seedOf(value: unknown): number {
  return wholeNumber('seed', value ?? Math.floor(Math.random() * LARGEST_SEED), 0, LARGEST_SEED)
}

export function wholeNumber(option: string, value: unknown, least: number, most: number): number {
  // An option that is given twice is an array, and one without its value is NaN.
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  return refuse(`--${option} takes a whole number from ${least} to ${most}.`)
}

/** A list, separated by commas, of some of these names. */
export function names<T extends string>(option: string, list: string, known: readonly T[]): T[] {
  const isKnown = (name: string): name is T => (known as readonly string[]).includes(name)
  const given = list.split(',').map((name) => name.trim())
  const unknown = given.find((name) => !isKnown(name))
  if (unknown !== undefined) refuse(`--${option} ${unknown} is none of ${known.join(', ')}.`)
  return given.filter(isKnown)
}

export function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(64)
}
