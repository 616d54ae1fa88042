import { createInterface } from 'node:readline/promises'

/** Asks on the terminal; anything but yes is no, and so is a signal. */
export async function ask(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // readline takes Ctrl-C for itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    return /^\s*y(?:es)?\s*$/i.test(await lines.question(`${question} [y/N] `, { signal }))
  } catch {
    return false
  } finally {
    lines.close()
  }
}
