import { type OwnedProcess, spawnOwned } from '../test/support/owned-process.ts'
import type { Pool } from '../test/support/pool.ts'
import { type Place, peer } from './contestants.ts'
import { groupCpuSeconds } from './cpu.ts'

/** A FastCGI client of the bridge, without a broker. */
export interface PoolClient {
  readonly name: string
  readonly transport: 'native' | 'fastcgi-client'
  readonly keepAlive: boolean
}

export const NATIVE_KEPT: PoolClient = { name: 'native, keep-alive', transport: 'native', keepAlive: true }
export const NATIVE: PoolClient = {
  name: 'native, connection per request',
  transport: 'native',
  keepAlive: false,
}
export const NPM: PoolClient = { name: 'npm fastcgi-client', transport: 'fastcgi-client', keepAlive: false }
export const POOL_CLIENTS: readonly PoolClient[] = [NATIVE_KEPT, NATIVE, NPM]

export interface PoolRun {
  /** Requests a second. */
  readonly rate: number
  /** Microseconds of CPU for each request. */
  readonly cpu: { readonly client: number; readonly pool: number }
}

/** A closed loop of as many requests as the pool has children. */
export async function poolOnly(
  client: PoolClient,
  requests: number,
  place: Place,
  { masterPid }: Pool,
): Promise<PoolRun> {
  const [program = '', ...args] = clientCommand(client, requests, place)
  const poolBefore = groupCpuSeconds(masterPid)
  const owned = await spawnOwned(program, args, {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { warmUp, seconds, cpu } = JSON.parse(await outputOf(owned))
  const pool = groupCpuSeconds(masterPid) - poolBefore
  return {
    rate: requests / seconds,
    cpu: { client: (cpu / requests) * 1_000_000, pool: (pool / (requests + warmUp)) * 1_000_000 },
  }
}

/** peers/pool-client.mjs, with a client of the bridge. */
function clientCommand(
  { transport, keepAlive }: PoolClient,
  requests: number,
  { concurrency, socket, script }: Place,
): readonly string[] {
  const load = [String(requests), String(concurrency)]
  const [node = '', program = ''] = peer('pool-client')
  return [node, '--import', 'tsx', program, transport, keepAlive ? 'on' : 'off', ...load, socket, script]
}

async function outputOf({ child, exited }: OwnedProcess): Promise<string> {
  const pieces: string[] = []
  child.stdout?.on('data', (piece) => pieces.push(String(piece)))
  const { code } = await exited
  if (code !== 0) throw new Error(`the pool client ended with ${code}`)
  return pieces.join('')
}
