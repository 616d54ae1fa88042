import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { staticParams } from '../../bridge/request.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import { PoolClient } from '../../fastcgi/client.ts'
import { FastCgiError, type FastCgiResponse } from '../../fastcgi/types.ts'
import { type PhpFacts, readPhpFacts } from './php-facts.ts'

/** Milliseconds for a child to become free, and for an application to boot. */
const TIMEOUT = 10_000

/** Bytes kept of an answer: facts are a few KiB. */
const LIMITS = { maxResponse: 256 * 1024, maxStderr: 64 * 1024 }

/** The param that the package knows a probe by (worker-php/src/Probe.php). */
const PROBE = 'FPM_BRIDGE_PROBE'

/** What has come of a request to a script. */
export type ProbeAnswer =
  | { readonly kind: 'package'; readonly facts: PhpFacts; readonly before: string }
  | { readonly kind: 'other'; readonly response: FastCgiResponse }
  | { readonly kind: 'no-answer'; readonly error: FastCgiError }

/**
 * Has the pool run the script, with no message. The package answers with what PHP it runs in, and executes nothing; so does an older one,
 * since the request has no execution id. Any other script does what it does for a GET without parameters.
 */
export async function probeScript(config: BridgeConfig, version: string): Promise<ProbeAnswer> {
  const mark = randomBytes(16).toString('hex')
  try {
    const response = await request(config, version, { [PROBE]: mark })
    const read = readPhpFacts(response.body.toString('utf8'), mark)
    return read === undefined ? { kind: 'other', response } : { kind: 'package', ...read }
  } catch (error) {
    if (error instanceof FastCgiError) return { kind: 'no-answer', error }
    throw error
  }
}

/**
 * Asks for the script's folder in its place: php-fpm runs no folder, and refuses it with another answer where it is not there.
 *
 * @returns whether the pool sees it; undefined where that is not known
 */
export async function isFolderSeen(config: BridgeConfig, version: string): Promise<boolean | undefined> {
  const folder = posix.dirname(config.script)
  if (folder === '/') return undefined
  try {
    const { status, stderr } = await request(config, version, { SCRIPT_FILENAME: folder })
    if (status === 404 && stderr.includes('Primary script unknown')) return false
    return status === 403 || status === 404 ? true : undefined
  } catch (error) {
    if (error instanceof FastCgiError) return undefined
    throw error
  }
}

async function request(
  config: BridgeConfig,
  version: string,
  params: Readonly<Record<string, string>>,
): Promise<FastCgiResponse> {
  const { pool: address, statusPath } = config
  const client = new PoolClient({
    address,
    params: staticParams(config, version),
    ...LIMITS,
    statusPath,
    keepAlive: false,
    timeout: TIMEOUT,
  })
  try {
    const query = 'fpm-bridge-check'
    const how = {
      REQUEST_METHOD: 'GET',
      QUERY_STRING: query,
      REQUEST_URI: `/${posix.basename(config.script)}?${query}`,
    }
    return await client.request({ params: { ...how, ...params }, body: new Uint8Array(0) })
  } finally {
    client.close()
  }
}
