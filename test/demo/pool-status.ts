import { createLibraryClient } from '../../src/fastcgi-library.ts'

/**
 * Asks a pool's status page how many of its children execute a request at this moment.
 *
 * @param statusSocket the path of pm.status_listen, which is answered while all children are busy
 */
export async function busyChildren(statusSocket: string): Promise<number> {
  const client = createLibraryClient({
    address: { kind: 'unix', path: statusSocket },
    params: {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '/status',
      SCRIPT_FILENAME: '/status',
      QUERY_STRING: 'json',
    },
    maxResponse: 4_096,
    maxStderr: 4_096,
  })
  const { body } = await client.request({ params: {}, body: Buffer.alloc(0) })
  const status = JSON.parse(body.toString()) as { readonly 'active processes': number }
  return status['active processes']
}
