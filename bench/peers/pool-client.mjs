// node --import tsx pool-client.mjs native|fastcgi-client on|off REQUESTS CONCURRENCY SOCKET SCRIPT
//
// A closed loop of so many requests at a time, with one of the bridge's two FastCGI clients: what client and pool
// give without a broker. Prints one line of JSON: requests to warm up, seconds, and CPU seconds of this process.

import { fileURLToPath } from 'node:url'

const [transport = '', keepAlive = '', requests = '', concurrency = '', path = '', script = ''] =
  process.argv.slice(2)

/** @param {string} module below src */
const load = (module) => import(fileURLToPath(new URL(`../../src/${module}.ts`, import.meta.url)))

const common = {
  address: { kind: 'unix', path },
  params: {
    REQUEST_METHOD: 'POST',
    SCRIPT_FILENAME: script,
    SCRIPT_NAME: '/worker.php',
    CONTENT_TYPE: 'application/x-www-form-urlencoded',
  },
  maxResponse: 1024 * 1024,
  maxStderr: 64 * 1024,
}
/** @type {import('../../src/fastcgi/types.ts').FastCgiClient} */
const client =
  transport === 'native'
    ? new (await load('fastcgi/client')).PoolClient({
        ...common,
        keepAlive: keepAlive === 'on',
        timeout: 25 * 60_000,
        statusPath: '/status',
      })
    : (await load('fastcgi-library')).createLibraryClient(common)

/** @param {number} count */
async function run(count) {
  let left = count
  const lane = async () => {
    while (left > 0) {
      left -= 1
      const { status } = await client.request({
        params: {},
        body: Buffer.from(`number=${left}&daemonId=D-bench`),
      })
      if (status !== 200) throw new Error(`the worker answered ${status}`)
    }
  }
  await Promise.all(Array.from({ length: Number(concurrency) }, lane))
}

const warmUp = Math.ceil(Number(requests) / 5) // the code gets hot
await run(warmUp)
const cpu = process.cpuUsage()
const started = performance.now()
await run(Number(requests))
const seconds = (performance.now() - started) / 1_000
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify({ warmUp, seconds, cpu: (user + system) / 1_000_000 }))
process.exit(0)
