/** What somebody may have meant by a word that is none: the nearest of the words there are, if it is near. */
export function whatWasMeant(word: string, known: readonly string[]): string | undefined {
  const meant = word.toLowerCase().replaceAll('_', '-').replace(/^-+/, '')
  let best: { name: string; distance: number } | undefined
  for (const name of known) {
    const distance = editDistance(meant, name)
    const near = distance <= Math.max(1, Math.floor(name.length / 3))
    if (near && distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { name, distance }
  }
  return best?.name
}

/** Letters to be added, left out, changed, or swapped with their neighbour (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  // Nobody means a word of three times the length.
  if (from.length > 100) return Number.POSITIVE_INFINITY
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    rows.push(current)
    for (let column = 1; column <= to.length; column += 1) {
      const changed = at(row - 1, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const swapped =
        from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
          ? at(row - 2, column - 2) + 1
          : changed
      current.push(Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, changed, swapped))
    }
  }
  return at(from.length, to.length)
}
