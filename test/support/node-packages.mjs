// Whether this Node and these node_modules are what package.json and package-lock.json ask for.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {string} version such as 20.19.1
 * @param {string} range alternatives `^A.B` and `>=A` joined by `||`, which is all that package.json uses
 */
export function nodeSatisfies(version, range) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return range.split('||').some((alternative) => {
    const match = /^(\^|>=)(\d+)(?:\.(\d+))?$/.exec(alternative.trim())
    if (match === null) throw new Error(`engines.node: cannot read ${alternative}`)
    const [wantedMajor, wantedMinor] = [Number(match[2]), Number(match[3] ?? 0)]
    if (major === wantedMajor) return minor >= wantedMinor
    return match[1] === '>=' && major > wantedMajor
  })
}

/**
 * Compares the lock file with the copy of it that npm leaves in node_modules. Times would mislead: git gives the
 * lock file a new one on every checkout, and npm writes the two in either order.
 *
 * @param {string} root the folder of package-lock.json
 */
export function nodeModulesAreCurrent(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (present[path] === undefined ? optional === true : present[path].version === version),
  )
}

/**
 * @param {string} lockFile
 * @returns {Record<string, {version?: string, optional?: boolean}>}
 */
function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages
  } catch {
    return {}
  }
}
