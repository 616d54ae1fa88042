import { describe, expect } from 'vitest'
import { closeConnection } from '../support/broker-connections.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test as base, type Fixtures } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'

/*
 * What a broker refuses that it allowed when the daemon started: said once, with what to change, and tried again. Most
 * of the time goes to the ten seconds between two tries, so all are played at once.
 */

const WAITING = 'Not consuming; trying again until it works.'
const REPEATED = 'Cannot publish the copy of a message; repeated until it succeeds.'

const ALL = { configure: '.*', write: '.*', read: '.*' }

/** A user of the test's own, who may do everything at first. */
interface User {
  readonly name: string
  /** Of the broker, for that user. */
  readonly url: string
  create(): Promise<unknown>
  permit(rights: object): Promise<unknown>
  remove(): Promise<unknown>
}

const test = base.extend<{ user: User }>({
  user: async ({ broker, queue }, use) => {
    const name = `${queue}-user`
    const user = {
      name,
      url: broker.url.replace('guest:guest', `${name}:s3cret`),
      create: () => broker.api('PUT', `/users/${name}`, { password: 's3cret', tags: '' }),
      permit: (rights: object) => broker.api('PUT', `/permissions/%2F/${name}`, rights),
      remove: () => broker.api('DELETE', `/users/${name}`),
    }
    await user.create()
    await user.permit(ALL)
    await use(user)
    await user.remove()
  },
})

/** A daemon that consumes, as that user. */
async function consuming({
  user,
  queue,
  startDaemon,
}: Pick<Fixtures, 'queue' | 'startDaemon'> & { readonly user: User }) {
  const daemon = await startDaemon({ url: user.url, args: ['--daemon-id', `D-${queue}`] })
  await daemon.waitForLine('Consuming.')
  return daemon
}

describe.concurrent('refused while it runs', () => {
  test('a queue that is deleted with --no-declare is waited for, and taken as it comes back', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    const declare = (name: string, given = {}) =>
      broker.api('PUT', `/queues/%2F/${name}`, { durable: true, arguments: given })
    await declare(queue)
    await declare(`${queue}.dead`)
    const daemon = await startDaemon({ args: ['--no-declare'] })
    await daemon.waitForLine('Consuming.')
    await broker.api('DELETE', `/queues/%2F/${queue}`)
    const line = await daemon.waitForLine(WAITING)
    expect(line['reason']).toBe(`missing, and --no-declare forbids to declare: "${queue}" (durable)`)

    await declare(queue, { 'x-max-priority': 5 })
    await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
    expect(count(daemon.log, WAITING)).toBe(1)
    expect(await broker.api('GET', `/queues/%2F/${queue}`)).toMatchObject({
      arguments: { 'x-max-priority': 5 },
    })
  })

  test('a user whose right to read is taken away consumes again when it is back', async ({
    broker,
    queue,
    user,
    startDaemon,
  }) => {
    const daemon = await consuming({ user, queue, startDaemon })
    await user.permit({ ...ALL, read: '' })
    await closeConnection(broker, `D-${queue}`)
    const { reason } = await daemon.waitForLine(WAITING)
    expect(reason).toContain(`the broker refuses queue "${queue}"`)
    expect(reason).toContain('ACCESS_REFUSED')
    await user.permit(ALL)
    await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
    expect(count(daemon.log, WAITING)).toBe(1)
  })

  test.for([
    { may: 'not read', rights: { ...ALL, read: '' }, code: 'QUEUE_REFUSED', reason: /ACCESS_REFUSED/ },
    {
      may: 'not publish',
      rights: { ...ALL, write: '' },
      code: 'PUBLISH_REFUSED',
      reason: /let the user write to the default exchange/,
    },
  ])(
    'at the start, a user who may $may: exit 78, before a message is executed',
    async ({ rights, code, reason }, { user, startDaemon }) => {
      await user.permit(rights)
      const daemon = await startDaemon({ url: user.url })
      expect(await daemon.exited).toMatchObject({ code: 78 })
      expect(daemon.log.at(-1)).toMatchObject({ code, reason: expect.stringMatching(reason) })
      expect(count(daemon.log, 'Consuming.')).toBe(0)
    },
  )

  test('at the start, a user who may not declare the retry queues: exit 78, naming one, before a message is executed', async ({
    queue,
    user,
    startDaemon,
  }) => {
    await user.permit({ ...ALL, configure: `^${queue}(\\.dead)?$` })
    const daemon = await startDaemon({ url: user.url, args: ['--ack', 'completed'] })
    expect(await daemon.exited).toMatchObject({ code: 78 })
    expect(daemon.log.at(-1)?.['reason']).toMatch(/"[^"]+\.retry\.\d+" .*ACCESS_REFUSED/)
    expect(count(daemon.log, 'Consuming.')).toBe(0)
  })

  test('a user who is deleted ends the session, and one of the same name consumes again', async ({
    queue,
    user,
    startDaemon,
  }) => {
    const daemon = await consuming({ user, queue, startDaemon })
    await user.remove()
    const { reason } = await daemon.waitForLine(WAITING)
    expect(reason).toContain(`refuses user "${user.name}"; change the user or the password in --url`)
    await user.create()
    await user.permit(ALL)
    await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
    expect(count(daemon.log, WAITING)).toBe(1)
    expect(JSON.stringify(daemon.log)).not.toContain('s3cret')
  })

  test('a user who may not write: the message waits unacked until its copy may be published', async ({
    broker,
    queue,
    user,
    startDaemon,
  }) => {
    const daemon = await consuming({ user, queue, startDaemon })
    await user.permit({ ...ALL, write: '' })
    // A channel remembers for a while what its user may do.
    await closeConnection(broker, `D-${queue} publisher`)
    await publishAll(broker, queue, ['not JSON'])
    const { cause } = await daemon.waitForLine(REPEATED)
    expect(cause).toContain('ACCESS_REFUSED')
    await expectCounts(broker, queue, { ready: 0, unacked: 1 })
    await user.permit(ALL)
    // By then it may have been parked.
    await eventually('it is settled', async () => (await countsOf(broker, queue))?.unacked === 0)
    expect(await takeAll(broker, `${queue}.dead`)).toHaveLength(1)
  })

  test('a dead-letter queue that is full: the message waits unacked until there is room', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    const full = { 'x-max-length': 1, 'x-overflow': 'reject-publish' }
    await broker.api('PUT', `/queues/%2F/${queue}.dead`, { durable: true, arguments: full })
    await publishAll(broker, queue, ['first', 'second', 'third'])
    const daemon = await startDaemon({ args: ['--concurrency', '1'] })
    const { cause } = await daemon.waitForLine(REPEATED)
    expect(cause).toContain('nack')
    await eventually('what is settled is acked', async () => {
      const unsettled = 3 - count(daemon.log, 'Dead-lettered.')
      expect(unsettled).toBeGreaterThan(0)
      const { ready = 0, unacked = 0 } = (await countsOf(broker, queue)) ?? {}
      expect(ready + unacked).toBe(unsettled)
      return true
    })

    const taken: string[] = []
    await eventually('all are moved', async () => {
      taken.push(...(await takeAll(broker, `${queue}.dead`)).map(({ content }) => content.toString()))
      return taken.length >= 3
    })
    expect(taken.sort()).toEqual(['first', 'second', 'third'])
  })
})
