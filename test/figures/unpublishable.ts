import { fatesOf } from '../chaos/fates.ts'
import { Stand } from '../chaos/stand.ts'
import { eventually } from '../support/eventually.ts'
import { type Measurement, none, seconds } from './figure.ts'
import { publishMany } from './load.ts'

const SLOTS = 4
const GOOD = 100
const POLICY = '/policies/%2F/full'

/** As many copies that the dead-letter queue does not take as the daemon has slots, then good messages. */
export const unpublishable: Measurement = async ({ broker, releases }) => {
  const stand = await Stand.open({ broker, mode: 'completed', queue: 'unpublishable', pool: {} }, releases)
  const definition = { 'max-length': 0, overflow: 'reject-publish' }
  await broker.api('PUT', POLICY, { pattern: '\\.dead$', definition, 'apply-to': 'queues' })
  await publishMany(stand, 'refused', SLOTS, { refused: true })
  await stand.startDaemon({ args: ['--concurrency', String(SLOTS)] })
  const refused = () => stand.journal.read().filter(({ event }) => event === 'failed').length
  await eventually('all of them are refused', () => refused() >= SLOTS)
  const began = Date.now()
  await publishMany(stand, 'good', GOOD)
  const done = () => stand.journal.read().filter(({ event }) => event === 'done').length
  const good = await eventually('the good ones are done', () => done() >= GOOD, { within: 60_000 }).then(
    () => Date.now() - began,
    () => Number.POSITIVE_INFINITY,
  )
  await broker.api('DELETE', POLICY)
  const isOver = async () => (await stand.deadLettered()) >= SLOTS
  await eventually('the copies are published', isOver, { within: 120_000 }).catch(() => {})
  const { lost, stuck } = fatesOf('completed', stand.published, await stand.evidence())
  const what = `${SLOTS} copies that cannot be published, ${SLOTS} slots`
  return [
    seconds(`${what}: ${GOOD} good messages are done`, good, 10),
    none(`${what}: lost or left when the obstacle is gone`, lost.length + stuck.length),
  ]
}
