import { afterEach, expect } from 'vitest'
import { FastCgiError, type FastCgiRequest } from '../../src/fastcgi/client.ts'
import { NativeClient, type NativeClientOptions } from '../../src/fastcgi/native-client.ts'
import { STATUS_PATH } from './kept-pool.ts'
import type { ScriptedPool } from './scripted-pool.ts'

const clients: NativeClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

/** A client of a scripted pool; closed after the test. */
export function clientOf(
  { address }: Pick<ScriptedPool, 'address'>,
  options: Partial<NativeClientOptions> = {},
): NativeClient {
  const client = new NativeClient({
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
  clients.push(client)
  return client
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
