import { connect } from 'amqplib'
import { describe, expect } from 'vitest'
import { BrokerError } from '../../src/amqp/broker-error.ts'
import type { Place } from '../../src/operate/dead-letters/place.ts'
import { remove } from '../../src/operate/dead-letters/remove.ts'
import { lookAtChosen } from '../../src/operate/dead-letters/take.ts'
import { LooksUsedUp } from '../../src/operate/dead-letters/walk.ts'
import { runBridge } from '../support/bridge-process.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { wornLetters } from '../support/dead-letters.ts'
import { eventually } from '../support/eventually.ts'
import { ANY, test as base } from '../support/letter-places.ts'
import { takeAll } from '../support/messages.ts'
import { expectCounts } from '../support/queue-counts.ts'

/* Letters that a quorum queue would drop if they were given back, and that cannot be put in anew, or perhaps not. */

/** The URL of a user who may configure and read, and not write. */
const test = base.extend<{ reader: string }>({
  reader: async ({ broker, queue }, use) => {
    const name = `${queue}-reader`
    await broker.api('PUT', `/users/${name}`, { password: 's3cret', tags: '' })
    await broker.api('PUT', `/permissions/%2F/${name}`, { configure: '.*', write: '', read: '.*' })
    await use(broker.url.replace('guest:guest', `${name}:s3cret`))
    await broker.api('DELETE', `/users/${name}`)
  },
})

const { signal } = new AbortController()
const removeNone = (place: Place) => remove(place, { ...ANY, reason: 'of no letter' }, () => {}, {}, signal)

/** Has each publish fail so, before the message is published, or after it. */
function failing(place: Place, times: number, error: BrokerError, when: 'before' | 'after'): Place {
  const publish = place.publisher.publish.bind(place.publisher)
  let left = times
  place.publisher.publish = async (message) => {
    left -= 1
    if (when === 'after' || left < 0) await publish(message)
    if (left >= 0) throw error
  }
  return place
}

const doubt = new BrokerError('NOT_CONFIRMED', 'the connection ended')

test.for([['delete', 'a', '--yes'], ['purge', '--reason', 'none', '--yes'], ['list'], ['export']])(
  'whoever may not write takes no letter out that could not be given back: %s',
  async (action, { broker, queue, reader }) => {
    const dead = `${queue}.dead`
    await wornLetters(broker, dead, ['a', 'b', 'c'], { messageId: 'a' })
    const { code, log } = await runBridge(['dead-letters', ...action, '--url', reader, '--queue', queue])
    expect(code).toBe(78)
    expect(log.map(({ message }) => message).join('\n')).toMatch(/may not put such a letter.*amq\.default/s)
    expect(await takeAll(broker, dead)).toHaveLength(3)
  },
)

describe('a new letter that is not confirmed', () => {
  test('is put in once more, and then named', async ({ broker, queue, at }) => {
    await wornLetters(broker, queue, ['a'], {})
    const removed = removeNone(failing(at(queue), 1, doubt, 'after'))
    await expect(removed).rejects.toMatchObject({
      code: 'NOT_CONFIRMED',
      message: expect.stringMatching(/letters that may be twice in queue ".*" \(1\): [0-9a-f]{16}$/),
    })
    expect(await takeAll(broker, queue)).toHaveLength(2)
  })

  test('is named where it may be lost', async ({ broker, queue, at }) => {
    await wornLetters(broker, queue, ['a'], {})
    const removed = removeNone(failing(at(queue), 20, doubt, 'before'))
    await expect(removed).rejects.toThrow(
      /letters that may be lost \(1\), since queue .* more than 2 times: [0-9a-f]{16}$/,
    )
  })
})

test('what the broker drops when the connection ends is put in anew, and named', async ({
  broker,
  queue,
  at,
}) => {
  await wornLetters(broker, queue, ['a'], { messageId: 'm1' })
  const place = at(queue)
  const after = async () => {
    await closeConnection(broker, 'fpm-bridge dead-letters')
    await expectCounts(broker, queue, { ready: 0, unacked: 0 })
    return true
  }
  const publish = place.publisher.publish.bind(place.publisher)
  let isCut = false
  place.publisher.publish = async (message) => {
    if (!isCut) await after()
    isCut = true
    await publish(message)
  }
  await expect(removeNone(place)).rejects.toThrow('letters that may be twice')
  expect((await takeAll(broker, queue)).map(({ content }) => content.toString())).toEqual(['a'])
})

test('a look ends with the first letter that could not be given back, wherever it is', async ({
  broker,
  queue,
  at,
}) => {
  const connection = await connect(broker.url)
  const channel = await connection.createConfirmChannel()
  const options = { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 }
  await channel.assertQueue(queue, { durable: true, arguments: options })
  for (const body of ['young', 'worn']) channel.sendToQueue(queue, Buffer.from(body))
  await channel.waitForConfirms()
  await eventually('it has the first', () => channel.get(queue))
  for (let times = 0; times < 3; times += 1) {
    channel.nack(await eventually('it has the second', () => channel.get(queue)))
  }
  await connection.close()
  const seen: string[] = []
  const look = () =>
    lookAtChosen(at(queue), ANY, (_, { body }) => void seen.push(body.toString()), {}, signal)
  await expect(look()).rejects.toThrow(LooksUsedUp)
  expect(seen).toEqual(['young'])
  expect((await takeAll(broker, queue)).map(({ content }) => content.toString()).sort()).toEqual([
    'worn',
    'young',
  ])
})
