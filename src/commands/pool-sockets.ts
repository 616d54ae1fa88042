import { lstat } from 'node:fs/promises'
import type { BridgeConfig } from '../config/bridge-config.ts'
import { Faults, OptionError } from '../config/option-error.ts'

/**
 * A missing socket is waited for, since php-fpm may start later. A file in its place will not become one.
 *
 * @throws {OptionError} that names each that is none
 */
export async function refuseNonSockets(bridges: readonly BridgeConfig[]): Promise<void> {
  new Faults((await Promise.all(bridges.map(faultOf))).filter((fault) => fault !== undefined)).throwAny()
}

async function faultOf({ pool, name, listed }: BridgeConfig): Promise<OptionError | undefined> {
  if (pool.kind !== 'unix') return undefined
  const stats = await lstat(pool.path).catch(() => undefined)
  if (stats === undefined || stats.isSocket() || stats.isSymbolicLink()) return undefined
  const what = stats.isDirectory() ? 'a directory' : 'a file'
  const whose = listed ? ` of bridge ${JSON.stringify(name)}` : ''
  return new OptionError(
    `--socket ${pool.path}${whose} is ${what} and no socket; it must be the \`listen\` of the pool`,
    78,
  )
}
