import { staticParams } from '../bridge/request.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import { PoolClient } from '../fastcgi/client.ts'
import type { FastCgiClient } from '../fastcgi/types.ts'
import { createLibraryClient } from '../fastcgi-library.ts'

/** Our client, or the npm package behind the same interface (--transport). */
export function createClient(config: BridgeConfig, version: string): FastCgiClient {
  const { pool: address, maxResponse, maxStderr, keepAlive, timeout, statusPath } = config
  const options = { address, params: staticParams(config, version), maxResponse, maxStderr }
  return config.transport === 'native'
    ? new PoolClient({ ...options, keepAlive, timeout, statusPath })
    : createLibraryClient(options)
}
