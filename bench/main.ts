import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type BridgeProcess, runBridge, spawnBridge } from '../test/support/bridge-process.ts'
import { startBroker } from '../test/support/broker.ts'
import type { Broker } from '../test/support/broker-api.ts'
import { eventually } from '../test/support/eventually.ts'
import { type Pool, startPool } from '../test/support/pool.ts'

const workerScript = fileURLToPath(new URL('../worker-php/worker.php', import.meta.url))

/** Starts measured; the median is told. */
const STARTS = 9

/**
 * Measures the built command on a private broker and pool of 4 static children: from start to the first message
 * dispatched, messages per second, and memory on the way. Machines differ and are noisy: compare runs on one machine.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { messages: { type: 'string', default: '100000' } } })
  const messages = Number(values.messages)
  const pool = await startPool({
    opcache: true,
    environment: { WORKER_LOG: '/dev/null', WORKER_SLEEP_MS: '0' },
  })
  const broker = await startBroker()
  try {
    const times: number[] = []
    for (let start = 0; start < STARTS; start += 1) times.push(await timeToFirstMessage(broker, pool))
    times.sort((a, b) => a - b)
    const [least, median, most] = [times[0], times[times.length >> 1], times.at(-1)].map(
      (time) => `${time?.toFixed(0)} ms`,
    )
    console.log(`start to first message: median ${median} of ${STARTS} (${least} to ${most})`)
    await throughput(broker, pool, messages)
  } finally {
    await broker.close()
    await pool.close()
  }
}

async function timeToFirstMessage(broker: Broker, pool: Pool): Promise<number> {
  await publish(broker, 1)
  const started = performance.now()
  const daemon = await run(broker, pool, ['--log-level', 'debug'])
  await daemon.waitForLine('Dispatched.')
  const time = performance.now() - started
  await end(daemon)
  return time
}

async function throughput(broker: Broker, pool: Pool, messages: number): Promise<void> {
  await publish(broker, messages)
  const daemon = await run(broker, pool, [])
  await daemon.waitForLine('Executed.')
  const started = performance.now()
  const first = executed(daemon)
  const memory: string[] = []
  for (const share of [0.1, 0.25, 0.5, 0.75, 1]) {
    const due = Math.floor(messages * share)
    await eventually(`${due} are executed`, () => executed(daemon) >= due, { within: 600_000, every: 5 })
    memory.push(`${(daemon.residentBytes() / 2 ** 20).toFixed(0)} MiB at ${due}`)
  }
  const seconds = (performance.now() - started) / 1_000
  console.log(`${((messages - first) / seconds).toFixed(0)} messages/s, 4 in flight, ${messages} messages`)
  console.log(`resident memory: ${memory.join(', ')}`)
  await end(daemon)
  const total = daemon.log.at(-1)?.['executed']
  if (total !== messages) throw new Error(`${messages} were published, and ${total} executed`)
}

/** A line each, after the two of the start. */
function executed(daemon: BridgeProcess): number {
  return daemon.log.length - 2
}

function run(broker: Broker, pool: Pool, args: readonly string[]): Promise<BridgeProcess> {
  const where = [
    '--url',
    broker.url,
    '--socket',
    pool.socket,
    '--script',
    workerScript,
    '--log-format',
    'json',
  ]
  return spawnBridge(['run', ...where, ...args])
}

async function publish(broker: Broker, count: number): Promise<void> {
  const template = ['--count', String(count), '--body', '{"number":"{n}"}']
  const { code, log } = await runBridge(['publish', '--url', broker.url, ...template])
  if (code !== 0) throw new Error(`publish ended with ${code}: ${JSON.stringify(log)}`)
}

async function end(daemon: BridgeProcess): Promise<void> {
  daemon.signal('SIGTERM')
  const { code } = await daemon.exited
  if (code !== 0) throw new Error(`the daemon ended with ${code}`)
}

await main()
