import type { FastCgiRequest, FastCgiResponse } from '../../src/fastcgi/types.ts'
import { createLibraryClient } from '../../src/fastcgi-library.ts'
import { endRequest, listen, record, type Script, type ScriptedPool, TYPE } from './scripted-pool.ts'

export const HEAD = 'Status: 201 Created\r\nX-Bridge-Outcome: ack\r\n\r\n'

/** Status 201, the body `hello`, and `warned` on stderr. */
export const COMPLETE = Buffer.concat([
  record(TYPE.stdout, `${HEAD}hello`, 5),
  record(TYPE.stderr, 'warned'),
  endRequest(),
])

const pools: ScriptedPool[] = []

export async function closePools(): Promise<void> {
  for (const pool of pools.splice(0)) await pool.close()
}

/** Listens until closePools. */
export async function poolThat(script: Script, kind?: 'unix' | 'tcp'): Promise<ScriptedPool> {
  const pool = await listen(script, kind)
  pools.push(pool)
  return pool
}

export const LIMITS = { maxResponse: 1024 * 1024, maxStderr: 1024 }

/** One request to a pool, `a=1` unless told otherwise. */
export function send(
  pool: Pick<ScriptedPool, 'address'>,
  request: Partial<FastCgiRequest> = {},
  limits = LIMITS,
): Promise<FastCgiResponse> {
  const client = createLibraryClient({ ...pool, ...limits, params: { FIXED: 'f', BOTH: 'client' } })
  return client.request({ params: { BOTH: 'request' }, body: Buffer.from('a=1'), ...request })
}

/** One request to a pool that plays the script. */
export async function exchange(script: Script, request: Partial<FastCgiRequest> = {}, limits = LIMITS) {
  const pool = await poolThat(script)
  return { pool, response: await send(pool, request, limits) }
}
