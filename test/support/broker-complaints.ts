import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Of what a broker logs, what is no answer to something that a test has done on purpose. */
const OF_ITS_OWN =
  /crash|terminat(?!ing with reason 'delete')|supervisor|\bwal\b|segment|\bra_|alarm|enospc|emfile|eio\b/i

/** Characters shown of a line, and lines. */
const LENGTH = 180
const MOST = 12

/**
 * Where many tests fail at once, their broker may be to blame, and its log goes with its folder.
 *
 * @param directory of the broker
 * @returns its errors and warnings about itself, each kind once with how often, the rarest first
 */
export function complaintsOf(directory: string): readonly string[] {
  const folder = join(directory, 'log')
  const counts = new Map<string, number>()
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const [, complaint] =
        /^\S+ \S+ \[(?:error|warning|critical|alert|emergency)\] \S+ +(.*)/.exec(line) ?? []
      if (complaint === undefined || !OF_ITS_OWN.test(complaint)) continue
      const kind = complaint.replace(/\/\S+/g, '/...').replace(/\d+/g, 'N').slice(0, LENGTH)
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
  }
  return [...counts]
    .sort(([, a], [, b]) => a - b)
    .slice(0, MOST)
    .map(([kind, count]) => `${count} x ${kind}`)
}
