/** Tells a person at a terminal what takes so long; an empty text clears the line. */
export function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`)
}
