import { expect } from 'vitest'
import { PoolClient, type PoolClientOptions } from '../../src/fastcgi/client.ts'
import { FastCgiError, type FastCgiRequest } from '../../src/fastcgi/types.ts'
import { closedAfterTest } from './after-test.ts'
import { STATUS_PATH } from './kept-pool.ts'
import type { ScriptedPool } from './scripted-pool.ts'

/** A client of a scripted pool; closed after the test. */
export function clientOf(
  { address }: Pick<ScriptedPool, 'address'>,
  options: Partial<PoolClientOptions> = {},
): PoolClient {
  const client = new PoolClient({
    address,
    params: {},
    maxResponse: 1024 * 1024,
    maxStderr: 1024,
    keepAlive: true,
    probation: 0,
    timeout: 5_000,
    statusPath: STATUS_PATH,
    ...options,
  })
  return closedAfterTest(client)
}

/** A small request, `a=1` unless told otherwise. */
export function request(given: Partial<FastCgiRequest> = {}): FastCgiRequest {
  return { params: { REQUEST_METHOD: 'POST' }, body: Buffer.from('a=1'), ...given }
}

/** The error a request ends with. */
export async function failureOf(pending: Promise<unknown>): Promise<FastCgiError> {
  const error: unknown = await pending.catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(FastCgiError)
  return error as FastCgiError
}
