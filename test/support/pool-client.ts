import { parsePoolAddress } from '../../src/fastcgi/address.ts'
import { PoolClient, type PoolClientOptions } from '../../src/fastcgi/client.ts'
import type { FastCgiClient, FastCgiRequest, FastCgiResponse } from '../../src/fastcgi/types.ts'
import { testScript } from './fixtures.ts'
import type { PoolAddress } from './pool-configuration.ts'

export const behaveScript = testScript('behave.php')

/** What a client of a pool is made of, in these tests. */
export function clientOptions(pool: Pick<PoolAddress, 'socket'>, script = behaveScript) {
  return {
    address: parsePoolAddress(pool.socket),
    params: { REQUEST_METHOD: 'POST', SCRIPT_FILENAME: script, SCRIPT_NAME: '/behave.php' },
    maxResponse: 1024 * 1024,
    maxStderr: 4_096,
  }
}

/** Connections are used again, unless told otherwise. */
export function nativeClient(
  pool: Pick<PoolAddress, 'socket'>,
  options: Partial<PoolClientOptions> = {},
): PoolClient {
  return new PoolClient({
    ...clientOptions(pool),
    keepAlive: true,
    probation: 0,
    timeout: 20_000,
    statusPath: '/status',
    ...options,
  })
}

/** Has test/support/php/behave.php do something. */
export function behave(
  client: FastCgiClient,
  action: string,
  value: string | number = '',
  more: Partial<FastCgiRequest> = {},
): Promise<FastCgiResponse> {
  const params = { ACTION: action, VALUE: String(value), ...more.params }
  return client.request({ body: new Uint8Array(0), ...more, params })
}
