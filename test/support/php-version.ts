import { execFileSync } from 'node:child_process'
import { installedProgram } from './installed.mjs'

/** Whether the php-fpm of the tests is of this version, or a later one. */
export function phpIsAtLeast(major: number, minor: number): boolean {
  const banner = execFileSync(installedProgram('phpFpm'), ['-n', '-v'], { encoding: 'utf8' })
  const [, its = 0, itsMinor = 0] = (/^PHP (\d+)\.(\d+)/.exec(banner) ?? []).map(Number)
  return its > major || (its === major && itsMinor >= minor)
}
