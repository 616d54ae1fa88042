import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'amqplib'
import { describe, expect } from 'vitest'
import { PUBLISH_ID } from '../../src/amqp/publish-id.ts'
import { ALL_LINES, lineRanges, lineText } from '../../src/config/line-ranges.ts'
import { add, BadLine, type ImportLine } from '../../src/operate/dead-letters/add.ts'
import { find, replayEdited } from '../../src/operate/dead-letters/edit.ts'
import { lineOf } from '../../src/operate/dead-letters/letter-text.ts'
import type { Place } from '../../src/operate/dead-letters/place.ts'
import { remove } from '../../src/operate/dead-letters/remove.ts'
import { replay } from '../../src/operate/dead-letters/replay.ts'
import { lookAtChosen } from '../../src/operate/dead-letters/take.ts'
import { LooksUsedUp } from '../../src/operate/dead-letters/walk.ts'
import { runBridge, spawnBridge } from '../support/bridge-process.ts'
import type { Broker } from '../support/broker-api.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { fillWithLetters, lettersOf, replayKilled, wornLetters } from '../support/dead-letters.ts'
import { eventually } from '../support/eventually.ts'
import { ANY, QUIET, test } from '../support/letter-places.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { expectCounts } from '../support/queue-counts.ts'

/* Dead letters in a real broker, looked at and put back. */

const { signal } = new AbortController()

/** A publisher of ours gives it to each message, for itself. */
function withoutPublishId(headers: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { [PUBLISH_ID]: _, ...others } = headers
  return others
}

async function idsIn(place: Place, words: readonly string[] = []): Promise<string[]> {
  const ids: string[] = []
  await lookAtChosen(place, { ...ANY, words }, ({ id }) => void ids.push(id), {})
  return ids
}

test.for(['classic', 'quorum'] as const)(
  'a look leaves each letter in its place (%s)',
  async (type, { broker, queue, at }) => {
    const bodies = Array.from({ length: 20 }, (_, index) => `letter ${index}`)
    await publishAll(broker, queue, bodies, {}, type)
    const place = at(queue)
    const first = await idsIn(place)
    expect(new Set(first).size).toBe(20)
    // What comes meanwhile is none of those that were there.
    await publishAll(broker, queue, ['a new one'], {}, type)
    expect((await idsIn(place)).slice(0, 20)).toEqual(first)
    await expectCounts(broker, queue, { ready: 21, unacked: 0 })
    const taken = await takeAll(broker, queue)
    expect(taken.map(({ content }) => content.toString())).toEqual([...bodies, 'a new one'])
    if (type === 'quorum') expect(taken[0]?.properties.headers).toMatchObject({ 'x-delivery-count': 2 })
  },
)

test('a quorum queue is looked at no more before it would drop what comes back', async ({
  broker,
  queue,
  at,
}) => {
  const connection = await connect(broker.url)
  const channel = await connection.createConfirmChannel()
  const options = { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 }
  await channel.assertQueue(queue, { durable: true, arguments: options })
  for (const body of ['a', 'b', 'c']) channel.sendToQueue(queue, Buffer.from(body))
  await channel.waitForConfirms()
  await connection.close()
  const place = at(queue)
  for (let looks = 0; looks < 2; looks += 1) expect(await idsIn(place)).toHaveLength(3)
  // Whoever tries all the same, and again, loses nothing.
  for (let looks = 0; looks < 5; looks += 1) await expect(idsIn(place)).rejects.toThrow(LooksUsedUp)
  await expectCounts(broker, queue, { ready: 3, unacked: 0 })
  const taken = await takeAll(broker, queue)
  expect(taken.map(({ content }) => content.toString()).sort()).toEqual(['a', 'b', 'c'])
})

describe('letters that would be dropped if they were given back', () => {
  const bodiesIn = async (broker: Pick<Broker, 'url'>, queue: string) =>
    (await takeAll(broker, queue)).map(({ content }) => content.toString()).sort()
  const all = (words: readonly string[] = []) => ({
    selection: { ...ANY, words },
    to: undefined,
    rate: undefined,
  })

  test('stay, where the queue that they go to is missing', async ({ broker, queue, at }) => {
    const dead = `${queue}.dead`
    await wornLetters(broker, dead, ['a', 'b', 'c'], lettersOf(`${queue}.missing`, 1))
    await replay(at(dead), all(), QUIET, signal)
    expect(await bodiesIn(broker, dead)).toEqual(['a', 'b', 'c'])
  })

  test('stay, where somebody stops while they wait for their turn', async ({ broker, queue, at }) => {
    const dead = `${queue}.dead`
    await publishAll(broker, queue, [])
    await wornLetters(broker, dead, ['a', 'b', 'c'], lettersOf(queue, 1))
    const stop = new AbortController()
    const watch = { ...QUIET, onReplayed: () => stop.abort() }
    await replay(at(dead), { ...all(), rate: 0.1 }, watch, stop.signal)
    expect(await bodiesIn(broker, queue)).toHaveLength(1)
    expect(await bodiesIn(broker, dead)).toHaveLength(2)
  })

  test('are replayed once, by name', async ({ broker, queue, at }) => {
    const dead = `${queue}.dead`
    await publishAll(broker, queue, [])
    await wornLetters(broker, dead, ['a'], lettersOf(queue, 1))
    await replay(at(dead), all(['m1']), QUIET, signal)
    expect(await bodiesIn(broker, queue)).toEqual(['a'])
    expect(await bodiesIn(broker, dead)).toEqual([])
  })

  test('are deleted by name, and others are not', async ({ broker, queue, at }) => {
    await wornLetters(broker, queue, ['a'], { messageId: 'm1' })
    const connection = await connect(broker.url)
    const channel = await connection.createConfirmChannel()
    channel.sendToQueue(queue, Buffer.from('b'), { messageId: 'm2' })
    await channel.waitForConfirms()
    await connection.close()
    await remove(at(queue), { ...ANY, words: ['m1'] }, () => {}, {}, signal)
    expect(await bodiesIn(broker, queue)).toEqual(['b'])
  })

  test('stay in their queue alone, whatever CC and user_id say', async ({ broker, queue, at }) => {
    const copies = `${queue}.copies`
    await publishAll(broker, copies, [])
    const { headers } = lettersOf(queue, 1)
    await wornLetters(broker, queue, ['a'], { userId: 'guest', headers: { ...headers, CC: [copies] } })
    await bodiesIn(broker, copies)
    await remove(at(queue), { ...ANY, reason: 'of no letter' }, () => {}, {}, signal)
    expect(await bodiesIn(broker, copies)).toEqual([])
    expect(await bodiesIn(broker, queue)).toEqual(['a'])
  })
})

test('a queue that goes with its last reader is not read', async ({ broker, queue, at }) => {
  const connection = await connect(broker.url)
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(queue, { durable: true, autoDelete: true })
  channel.sendToQueue(queue, Buffer.from('x'))
  await channel.waitForConfirms()
  await connection.close()
  await expect(idsIn(at(queue))).rejects.toMatchObject({ code: 'QUEUE_UNFIT' })
  await expectCounts(broker, queue, { ready: 1, unacked: 0 })
})

test('a stream is not read: nothing can be taken out of it', async ({ broker, queue, at }) => {
  const connection = await connect(broker.url)
  const channel = await connection.createChannel()
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'stream' } })
  await connection.close()
  const look = idsIn(at(queue))
  await expect(look).rejects.toMatchObject({
    code: 'QUEUE_UNFIT',
    message: expect.stringContaining('is a stream'),
  })
})

test('fewer letters wait for their turn than stay', async ({ broker, queue, at }) => {
  const dead = `${queue}.dead`
  const staying = 60
  await publishAll(broker, dead, Array(staying).fill('of nobody'))
  await fillWithLetters(broker, queue, 200)
  const stop = new AbortController()
  const order = { selection: ANY, to: undefined, rate: 6 / 3_600 }
  const replayed = replay(at(dead), order, QUIET, stop.signal)
  await expectCounts(broker, queue, { ready: 1, unacked: 0 })
  await eventually('one waits', async () =>
    (await broker.queues()).some(({ name, unacked }) => name === dead && unacked > staying),
  )
  await sleep(500)
  const { unacked = 0 } = (await broker.queues()).find(({ name }) => name === dead) ?? {}
  stop.abort()
  await replayed
  expect(unacked - staying).toBeLessThanOrEqual(staying)
})

test('a replay puts back what the message was, and says so', async ({ broker, queue, at }) => {
  const dead = `${queue}.dead`
  await publishAll(broker, queue, [])
  const body = Buffer.from([0, 255, 1])
  const { headers, ...properties } = lettersOf(queue, 7)
  const own = { deep: { list: [1, 'x'] }, CC: [dead], 'x-fpm-bridge-exchange': 'orders' }
  const given = { ...properties, expiration: '600000', priority: 3, headers: { ...headers, ...own } }
  await publishAll(broker, dead, [body], { ...given, headers: { ...given.headers, CC: undefined } })
  const departed: string[] = []
  const watch = {
    ...QUIET,
    onDepart: async ([first]: readonly { to: string }[]) => departed.push(first?.to ?? '') > 0,
  }
  await replay(at(dead), { selection: ANY, to: undefined, rate: undefined }, watch, signal)
  expect(departed).toEqual([queue])
  await expectCounts(broker, dead, { ready: 0, unacked: 0 })
  const [message, ...others] = await takeAll(broker, queue)
  expect(others).toEqual([])
  expect(message?.content).toEqual(body)
  expect(message?.properties).toMatchObject({ messageId: 'm7', priority: 3, expiration: undefined })
  expect(withoutPublishId(message?.properties.headers)).toEqual({
    deep: { list: [1, 'x'] },
    'x-fpm-bridge-queue': queue,
    'x-fpm-bridge-exchange': 'orders',
    'x-fpm-bridge-original-expiration': '600000',
    'x-fpm-bridge-replayed': expect.stringMatching(/^[0-9a-f]{16} 20\d\d-/),
  })
})

test('what RabbitMQ itself has dead-lettered goes back to its queue', async ({ broker, queue, at }) => {
  const dead = `${queue}.dead`
  const connection = await connect(broker.url)
  const channel = await connection.createChannel()
  await channel.assertQueue(dead, { durable: true })
  const policy = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead }
  await channel.assertQueue(queue, { durable: true, arguments: policy })
  channel.sendToQueue(queue, Buffer.from('x'))
  await expectCounts(broker, queue, { ready: 1, unacked: 0 })
  const message = await channel.get(queue)
  if (message !== false) channel.nack(message, false, false)
  await expectCounts(broker, dead, { ready: 1, unacked: 0 })
  await connection.close()
  await replay(at(dead), { selection: ANY, to: undefined, rate: undefined }, QUIET, signal)
  await expectCounts(broker, queue, { ready: 1, unacked: 0 })
  const [back] = await takeAll(broker, queue)
  expect(Object.keys(withoutPublishId(back?.properties.headers))).toEqual(['x-fpm-bridge-replayed'])
})

test('a replay fails where its queue does not take the last letters either', async ({
  broker,
  queue,
  at,
}) => {
  await fillWithLetters(broker, queue, 20)
  const full = `${queue}.full`
  const connection = await connect(broker.url)
  const channel = await connection.createChannel()
  const limit = { 'x-max-length': 5, 'x-overflow': 'reject-publish' }
  await channel.assertQueue(full, { durable: true, arguments: limit })
  await connection.close()
  const unsure: string[] = []
  const watch = { ...QUIET, onUnsure: ({ messageId = '' }) => void unsure.push(messageId) }
  const order = { selection: ANY, to: full, rate: undefined }
  const replayed = replay(at(`${queue}.dead`), order, watch, signal)
  await expect(replayed).rejects.toMatchObject({ code: 'NOT_CONFIRMED' })
  await expectCounts(broker, full, { ready: 5, unacked: 0 })
  await expectCounts(broker, `${queue}.dead`, { ready: 15, unacked: 0 })
  expect(unsure).toHaveLength(15)
})

test('a letter stays where its queue is missing, or unknown, or the one that it is in', async ({
  broker,
  queue,
  at,
}) => {
  const dead = `${queue}.dead`
  await publishAll(broker, dead, ['a', 'b'], () => ({ headers: lettersOf(`${queue}.missing`, 1).headers }))
  await publishAll(broker, dead, ['c'])
  await publishAll(broker, dead, ['d'], { headers: lettersOf(dead, 1).headers })
  const why: string[] = []
  const watch = { ...QUIET, onRefused: (_: unknown, reason: string) => void why.push(reason) }
  await replay(at(dead), { selection: ANY, to: undefined, rate: undefined }, watch, signal)
  const missing = `there is no queue "${queue}.missing"`
  expect(why.sort().map((each) => each.slice(0, missing.length))).toEqual([
    expect.stringContaining('it does not say which queue'),
    expect.stringContaining('it would go into'),
    missing,
    missing,
  ])
  await expectCounts(broker, dead, { ready: 4, unacked: 0 })
})

async function* numbered(lines: readonly string[]): AsyncGenerator<ImportLine> {
  for (const [index, line] of lines.entries()) yield { number: index + 1, bytes: Buffer.from(line) }
}

test('an export has all of a letter, and an import makes it the same', async ({ broker, queue, at }) => {
  const headers = {
    long: 2 ** 40,
    time: { '!': 'timestamp', value: 1_700_000_000 },
    bytes: Buffer.from([255]),
  }
  await publishAll(broker, queue, [Buffer.from([255, 0]), 'text'], { messageId: 'm', type: 't', headers })
  const lines: string[] = []
  const place = at(queue)
  await lookAtChosen(place, ANY, (letter, delivery) => void lines.push(lineOf(letter, delivery)), {})
  const before = await takeAll(broker, queue)
  const added = await add(place, numbered(lines), ALL_LINES, signal)
  expect(added).toEqual({ count: 2, left: [], unsure: [], fault: undefined })
  const contentOf = ({ content, properties }: (typeof before)[number]) => ({
    content,
    properties: { ...properties, headers: withoutPublishId(properties.headers) },
  })
  const ids = await idsIn(place)
  expect((await takeAll(broker, queue)).map(contentOf)).toEqual(before.map(contentOf))
  expect(ids).toEqual(lines.map((line) => (JSON.parse(line) as { id: string }).id))
})

test('an import that a full queue ends says which lines are missing, and goes on with those', async ({
  broker,
  queue,
  at,
}) => {
  const connection = await connect(broker.url)
  const channel = await connection.createConfirmChannel()
  const full = { 'x-max-length': 3, 'x-overflow': 'reject-publish' }
  await channel.assertQueue(queue, { durable: true, arguments: full })
  await connection.close()
  const lines = Array.from({ length: 8 }, (_, index) => JSON.stringify({ body: `${index + 1}` }))
  const bodies: string[] = []
  let left = ALL_LINES
  for (let tries = 0; tries < 20 && left.length > 0; tries += 1) {
    const added = await add(at(queue), numbered(lines), lineRanges(lineText(left)), signal)
    const taken = await takeAll(broker, queue)
    expect(taken).toHaveLength(added.count)
    bodies.push(...taken.map(({ content }) => content.toString()))
    expect(added.unsure).toEqual(added.left)
    left = added.left
  }
  expect(bodies.sort()).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
})

test('an import does not let its letters expire', async ({ broker, queue, at }) => {
  await publishAll(broker, queue, [])
  const lines = [JSON.stringify({ body: '', properties: { expiration: '0' } })]
  await add(at(queue), numbered(lines), ALL_LINES, signal)
  const [letter] = await takeAll(broker, queue)
  expect(letter?.properties).toMatchObject({
    expiration: undefined,
    headers: { 'x-fpm-bridge-original-expiration': '0' },
  })
})

test('an import says how to go on behind a line that is none', async ({ broker, queue, at }) => {
  await publishAll(broker, queue, [])
  const lines = ['{"body":"1"}', '{"body":"2"}', 'no JSON', '{"body":"4"}']
  const { count, left, fault } = await add(at(queue), numbered(lines), lineRanges('2-'), signal)
  expect({ count, left: lineText(left), fault }).toEqual({ count: 1, left: '3-', fault: expect.any(BadLine) })
})

test('one letter is edited and put back, and others are deleted by the beginning of their ids', async ({
  broker,
  queue,
  at,
}) => {
  await fillWithLetters(broker, queue, 4)
  const place = at(`${queue}.dead`)
  const found = await find(place, 'm2', {}, signal)
  if (found === undefined) throw new Error('it is there')
  const content = { ...found.content, body: Buffer.from('mended') }
  await replayEdited(place, found.letter, content, queue, QUIET, signal)
  expect((await takeAll(broker, queue)).map((each) => each.content.toString())).toEqual(['mended'])
  // It is no more.
  await expect(replayEdited(place, found.letter, content, queue, QUIET, signal)).rejects.toThrow(
    'no dead letter',
  )
  const [first = '', second = '', third = ''] = await idsIn(place)
  const deleted: string[] = []
  const words = [first.slice(0, 8), third]
  await remove(place, { ...ANY, words }, ({ id }) => void deleted.push(id), {}, signal)
  expect(deleted).toEqual([first, third])
  expect(await idsIn(place)).toEqual([second])
  expect(await takeAll(broker, queue)).toEqual([])
})

test('a replay that is killed loses nothing, and has named what is twice', async ({ broker, queue }) => {
  await fillWithLetters(broker, queue, 1_500)
  const { killed, lost, unnamed } = await replayKilled(broker, queue, 1_500, 2)
  expect({ lost, unnamed }).toEqual({ lost: 0, unnamed: 0 })
  expect(killed).toBeGreaterThan(0)
})

describe('where the connection ends when a message is in its queue, and its letter not gone', () => {
  const NAME = 'fpm-bridge dead-letters'
  /** Publishes, and cuts off whoever holds the letters. */
  const cutAfterPublish = (broker: Broker, place: Place): Place => {
    const publish = place.publisher.publish.bind(place.publisher)
    place.publisher.publish = async (message) => {
      await publish(message)
      await closeConnection(broker, NAME)
      await eventually('it is gone', async () =>
        (await broker.queues()).some(({ name, unacked }) => name === place.queue && unacked === 0),
      )
    }
    return place
  }

  test('an edit says that it may be in both', async ({ broker, queue, at }) => {
    await fillWithLetters(broker, queue, 1)
    const place = at(`${queue}.dead`)
    const found = await find(place, 'm0', {}, signal)
    if (found === undefined) throw new Error('it is there')
    const told: string[] = []
    const watch = {
      ...QUIET,
      onReplayed: () => void told.push('replayed'),
      onDoubled: () => void told.push('doubled'),
    }
    const edited = replayEdited(
      cutAfterPublish(broker, place),
      found.letter,
      found.content,
      queue,
      watch,
      signal,
    )
    await expect(edited).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(told).toEqual(['doubled'])
    await expectCounts(broker, queue, { ready: 1, unacked: 0 })
    await expectCounts(broker, place.queue, { ready: 1, unacked: 0 })
  })

  test('a replay of some says so, and that it was not the end', async ({ broker, queue, at }) => {
    await fillWithLetters(broker, queue, 2)
    const place = cutAfterPublish(broker, at(`${queue}.dead`))
    const doubled: string[] = []
    const watch = { ...QUIET, onDoubled: ({ messageId = '' }) => void doubled.push(messageId) }
    const order = { selection: { ...ANY, words: ['m1'] }, to: undefined, rate: undefined }
    await expect(replay(place, order, watch, signal)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(doubled).toEqual(['m1'])
  })
})

test.for(['| true', '> /dev/full'])(
  'a letter that cannot be named does not depart: %s',
  async (output, { broker, queue }) => {
    await fillWithLetters(broker, queue, 20)
    const where = ['--url', broker.url, '--queue', queue]
    const shell = ['sh', '-c', `"$@" ${output}`, 'sh']
    const { exited } = await spawnBridge(['dead-letters', 'replay', '--all', ...where], {}, shell)
    await exited
    await expectCounts(broker, queue, { ready: 0, unacked: 0 })
    await expectCounts(broker, `${queue}.dead`, { ready: 20, unacked: 0 })
  },
)

test('whoever reads slowly gets all of a letter', async ({ broker, queue }) => {
  const body = 'x'.repeat(300_000)
  await publishAll(broker, `${queue}.dead`, [body], { messageId: 'm' })
  const slowly = ['sh', '-c', '"$@" | (sleep 3; cat)', 'sh']
  const where = ['--url', broker.url, '--queue', queue]
  const { exited, stdout } = await spawnBridge(['dead-letters', 'show', 'm', '--json', ...where], {}, slowly)
  await exited
  expect(JSON.parse(stdout.join(''))).toMatchObject({ body })
})

test('the editor that fails, and the one that spoils the text, leave the letter as it is', async ({
  broker,
  queue,
}) => {
  await fillWithLetters(broker, queue, 1)
  const edit = (editor: string) =>
    runBridge(['dead-letters', 'edit', 'm0', '--url', broker.url, '--queue', queue], { EDITOR: editor })
  const [unattended, failed, spoilt, mended] = [
    await edit(''),
    await edit('false'),
    await edit(`sed -i 's/": 7/": /'`),
    await edit(`sed -i 's/": 7/": 8/'`),
  ]
  expect(unattended).toMatchObject({ code: 75, stdout: [] })
  expect(failed).toMatchObject({ code: 75, stdout: [] })
  expect(spoilt).toMatchObject({ code: 65, stdout: [] })
  expect(spoilt.log.map(({ message }) => message).join('\n')).toMatch(
    /no JSON.*\n.*what was written is in \//,
  )
  expect(mended).toMatchObject({ code: 0, stdout: [expect.stringMatching(`^[0-9a-f]{16} m0 -> ${queue}$`)] })
  expect((await takeAll(broker, queue)).map(({ content }) => content.toString())).toEqual(['{"number":8}'])
})
