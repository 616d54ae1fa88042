import { PoolClient } from '../../src/fastcgi/client.ts'
import type { Pool } from './pool.ts'

/** What php-fpm says of one child of a pool. */
export interface PageChild {
  readonly pid: number
  /** What it is at: the stages of php-fpm's sapi/fpm/fpm/fpm_request.c. */
  readonly state:
    | 'Idle'
    | 'Reading headers'
    | 'Getting request informations'
    | 'Running'
    | 'Ending'
    | 'Finishing'
  /** That it has executed so far. */
  readonly requests: number
  /** Of the request that it is at, or of the last one. */
  readonly 'request uri': string
}

/** @returns what the status page says; undefined while php-fpm cannot lock its scoreboard, and answers with 500 */
export async function readPage(pool: Pick<Pool, 'statusSocket'>): Promise<readonly PageChild[] | undefined> {
  // The page's own socket: the question takes no child, and is not counted.
  const client = new PoolClient({
    address: { kind: 'unix', path: pool.statusSocket },
    params: {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '/status',
      SCRIPT_FILENAME: '/status',
      QUERY_STRING: 'json&full',
    },
    maxResponse: 2 ** 20,
    maxStderr: 1024,
    keepAlive: false,
    timeout: 5_000,
    statusPath: '/status',
  })
  const { status, body } = await client.request({ params: {}, body: Buffer.alloc(0) })
  return status === 200 ? JSON.parse(body.toString()).processes : undefined
}
