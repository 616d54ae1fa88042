import { staticParams } from '../bridge/request.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import { PoolClient } from '../fastcgi/client.ts'
import type { FastCgiClient, FastCgiClientOptions } from '../fastcgi/types.ts'
import { createLibraryClient } from '../fastcgi-library.ts'
import { StreamClient } from '../message-stream/stream-client.ts'
import { FIXED_LIMITS } from '../message-stream/stream-limits.ts'

/** A request for each message, by our client or the npm package (--transport), or for many. */
export function createClient(config: BridgeConfig, version: string): FastCgiClient {
  const { pool: address, maxResponse, maxStderr, keepAlive, timeout, statusPath } = config
  const options = { address, params: staticParams(config, version), maxResponse, maxStderr }
  if (config.messagesPerRequest > 1) return createStreamClient(config, options)
  return config.transport === 'native'
    ? new PoolClient({ ...options, keepAlive, timeout, statusPath })
    : createLibraryClient(options)
}

function createStreamClient(
  { messagesPerRequest, requestLifetime, timeout, concurrency, statusPath }: BridgeConfig,
  { address, params, maxResponse, maxStderr }: FastCgiClientOptions,
): FastCgiClient {
  const limits = {
    ...FIXED_LIMITS,
    messages: messagesPerRequest,
    lifetime: requestLifetime,
    timeout,
    maxResponse,
    maxStderr,
  }
  return new StreamClient({ address, params, concurrency, statusPath, limits })
}
