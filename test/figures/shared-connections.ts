import type { Delivery } from '../../src/bridge/ports.ts'
import type { Figure } from '../chaos/figures.ts'
import type { OwnBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { liveBytes } from '../support/heap.ts'
import { publishAll } from '../support/messages.ts'
import type { Releases } from '../support/releases.ts'
import { type BrokerSide, connectionsOf, SharedBridges } from '../support/shared-bridges.ts'
import type { Measurement } from './figure.ts'

const BRIDGES = 50
const MESSAGES = 10_000
const ROUNDS = 5
const PREFETCH = 100
/** Of a bridge that looks how long its messages take. */
const PROBES = 300

type Sharing = 'shared' | 'unshared'

/** What 50 bridges with nothing to do cost, on shared connections and on two of their own each; what sharing costs one that is busy. */
export const sharedConnections: Measurement = async ({ broker, releases, say }) => {
  const idle = { shared: await idleCost(broker, 'shared'), unshared: await idleCost(broker, 'unshared') }
  for (const [sharing, { connections, ours, brokers }] of Object.entries(idle))
    say(
      `${BRIDGES} idle, ${sharing}: ${connections} connections, ${kb(ours)} here, ${kb(brokers)} in the broker, each`,
    )
  const times: Record<Sharing | 'alone', number[]> = { alone: [], shared: [], unshared: [] }
  const waits: Record<Sharing, number[]> = { shared: [], unshared: [] }
  for (let round = 1; round <= ROUNDS; round += 1) {
    times.alone.push(await consumed(broker, releases, 0, 'shared'))
    times.shared.push(await consumed(broker, releases, BRIDGES - 1, 'shared'))
    times.unshared.push(await consumed(broker, releases, BRIDGES - 1, 'unshared'))
    for (const sharing of ['shared', 'unshared'] as const)
      waits[sharing].push(await waitsBeside(broker, sharing))
  }
  for (const [how, all] of Object.entries(times))
    say(`${MESSAGES} messages consumed and acked, ${how}: ${all.map((ms) => ms.toFixed(0)).join(', ')} ms`)
  for (const [how, all] of Object.entries(waits))
    say(
      `p95 from publish to delivery beside one that is busy, ${how}: ${all.map((ms) => ms.toFixed(2)).join(', ')} ms`,
    )
  return [
    figure(`connections of ${BRIDGES} bridges`, idle.shared.connections, 2),
    figure('memory of an idle bridge here, shared', idle.shared.ours / 1_024, 100, 'KiB'),
    figure(
      `time of one among ${BRIDGES}, of its time alone`,
      median(times.shared) / median(times.alone),
      1.1,
    ),
    figure('p95 beside a busy one, of that unshared', median(waits.shared) / median(waits.unshared), 1.2),
  ]
}

async function idleCost(broker: OwnBroker, sharing: Sharing) {
  const name = `idle-${sharing}`
  // What the first of its kind leaves behind, such as compiled code, is no cost of each.
  await (await start(broker, `${name}-first`, 2, sharing)).close()
  const before = { ours: liveBytes(), brokers: await brokerBytes(broker) }
  const bridges = await start(broker, name, BRIDGES, sharing)
  const expected = sharing === 'shared' ? 2 : 2 * BRIDGES
  const listed = () => connectionsOf(broker, name)
  await eventually('they are listed', async () => (await listed()).length >= expected)
  const cost = {
    connections: (await listed()).length,
    ours: (liveBytes() - before.ours) / BRIDGES,
    brokers: ((await brokerBytes(broker)) - before.brokers) / BRIDGES,
  }
  await bridges.close()
  return cost
}

/** @returns milliseconds for all messages, of one bridge with `others` that have nothing to do */
async function consumed(
  broker: OwnBroker,
  releases: Releases,
  others: number,
  sharing: Sharing,
): Promise<number> {
  const idle = await start(broker, 'others', others, sharing)
  releases.push(() => idle.close())
  await publishAll(broker, 'busy', Array(MESSAGES).fill('{"number":1}'))
  let count = 0
  let done = (): void => {}
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  const onDelivery = (each: Delivery): void => {
    each.ack()
    count += 1
    if (count === MESSAGES) done()
  }
  const began = performance.now()
  const busy = await idle.also('busy', onDelivery)
  await all
  const took = performance.now() - began
  await busy.close()
  await idle.close()
  return took
}

/** @returns milliseconds from publish to delivery, the 95th percentile, beside a bridge that has a deep queue */
async function waitsBeside(broker: OwnBroker, sharing: Sharing): Promise<number> {
  await publishAll(broker, 'busy', Array(MESSAGES).fill('{"number":1}'))
  const bridges = await start(broker, 'beside', 0, sharing)
  const waits: number[] = []
  let arrived = (): void => {}
  const probe = await bridges.also('probe.dead', (each) => {
    each.ack()
    arrived()
  })
  const publisher = await bridges.also('probe', () => {})
  // It puts back what it takes: it is busy for as long as it is there.
  const busy = await bridges.also('busy', (each) => each.requeue())
  for (let n = 0; n < PROBES; n += 1) {
    const here = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const began = performance.now()
    await Promise.all([publisher.publish(), here])
    waits.push(performance.now() - began)
  }
  await busy.close()
  await probe.close()
  await bridges.close()
  await broker.api('DELETE', '/queues/%2F/busy/contents')
  return waits.toSorted((a, b) => a - b)[Math.floor(PROBES * 0.95)] as number
}

interface Started {
  also(queue: string, onDelivery: (each: Delivery) => void): Promise<BrokerSide>
  close(): Promise<void>
}

async function start(broker: OwnBroker, name: string, count: number, sharing: Sharing): Promise<Started> {
  const shared = new SharedBridges([broker.url], name)
  const all = [shared]
  const place = (): SharedBridges => {
    if (sharing === 'shared') return shared
    const own = new SharedBridges([broker.url], name)
    all.push(own)
    return own
  }
  // A few at a time: looking for their queues costs memory that is soon free again.
  for (let n = 0; n < count; n += 1) await place().start(`${name}.${n}`)
  return {
    also: (queue, onDelivery) => place().start(queue, { prefetch: PREFETCH, onDelivery }),
    async close() {
      await Promise.all(all.map((each) => each.close()))
    },
  }
}

/** Of its processes, after a collection of each: connections and channels are processes. */
async function brokerBytes(broker: OwnBroker): Promise<number> {
  const used = '[garbage_collect(P) || P <- processes()], erlang:memory(processes_used).'
  return Number(await broker.ctl('eval', used))
}

const kb = (bytes: number): string => `${(bytes / 1_024).toFixed(0)} KiB`
const figure = (what: string, value: number, atMost: number, unit = ''): Figure => ({
  what,
  value,
  atMost,
  unit,
})
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number
