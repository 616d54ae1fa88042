import { Stand } from '../chaos/stand.ts'
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts'
import { type BridgeEntry, BridgesFile } from '../support/bridges-file.ts'
import { eventually } from '../support/eventually.ts'
import type { Site } from './figure.ts'

/** One daemon with several bridges. */
export interface Several {
  readonly daemon: BridgeProcess
  readonly file: BridgesFile
}

/** A queue and a pool of its own for one bridge. */
export const standFor = ({ broker, releases }: Site, queue: string, children: number): Promise<Stand> =>
  Stand.open({ broker, mode: 'completed', queue, pool: { children } }, releases)

/** What the file says of the bridge that serves a stand. */
export const entryFor = ({ queue, pool, worker }: Stand, more: BridgeEntry = {}): BridgeEntry => ({
  queue,
  socket: pool.socket,
  script: worker.script,
  ack: 'completed',
  ...more,
})

/** Resolves when all consume. */
export async function startSeveral(
  { broker, releases }: Site,
  bridges: readonly BridgeEntry[],
  common: BridgeEntry = {},
): Promise<Several> {
  const file = new BridgesFile({ url: broker.url, 'log-format': 'json', ...common }, bridges)
  const daemon = await spawnBridge(['--config', file.path])
  releases.push(() => daemon.kill())
  await eventually('all bridges consume', () => linesOf(daemon, 'Consuming.') >= bridges.length, {
    within: 60_000,
  })
  return { daemon, file }
}

export const linesOf = ({ log }: BridgeProcess, text: string): number =>
  log.filter(({ message }) => message === text).length
