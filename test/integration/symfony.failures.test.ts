import { expect } from 'vitest'
import type { Broker } from '../support/broker-api.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { readNotes } from '../support/symfony.ts'
import { MANY, test } from '../support/symfony-fixtures.ts'

/* Messages of Symfony Messenger that fail, or cannot be decoded, without the framework. */

interface Note {
  readonly do: string
}

interface Failure {
  /** Default `App\Task`. */
  readonly class?: string
  readonly status: number
  /** Whether its answer is lost where it is one of many in a request. */
  readonly endsRequest?: boolean
  /** What the log says of it. PHP may have no memory or no headers left to say it. */
  readonly says?: string
  /** Times that the handler is called; default 2. */
  readonly executions?: number
}

const FAILURES: Readonly<Record<string, Failure>> = {
  fail: { status: 500, says: 'RuntimeException: not today in ' },
  recover: { status: 500, says: 'RecoverableMessageHandlingException: not yet in ' },
  'recover later': { status: 503, says: 'App\\Later: not yet in ' },
  exit: { status: 500, says: 'the handler has called exit' },
  'finish and exit': { status: 500, endsRequest: true },
  fatal: { status: 500 },
  'fatal after a flush': { status: 500 },
  'out of memory': { status: 500 },
  // One of its handlers might succeed another time.
  refuse: { class: 'App\\Pair', status: 500, says: '2 handlers failed' },
  // As with Messenger's own consumer: during a deploy, another host may have the handler.
  nothing: { class: 'App\\Orphan', status: 500, says: 'No handler for message', executions: 0 },
}

// The worst that a pool can be: errors are printed as if they were the answer.
test.for([
  { title: 'alone in its request', args: [] },
  { title: 'one of many', args: MANY },
])(
  'no failure is taken for success, and all are repeated: $title',
  async ({ args }, { broker, queue, notes, send, consume }) => {
    const failures = Object.entries(FAILURES)
    const messages = failures.map(([name, failure]) => ({ do: name, class: failure.class ?? 'App\\Task' }))
    await send('json', messages)
    const daemon = await consume('plain.php', {
      args,
      environment: { SERIALIZER: 'json' },
      ini: { display_errors: 'on', memory_limit: '32M' },
    })
    await eventually('all are given up', () => count(daemon.log, 'Dead-lettered.') === failures.length)

    expect(count(daemon.log, 'Executed.')).toBe(0)
    const copies = await takeAll(broker, `${queue}.dead`)
    const dead = new Map(
      copies.map(({ content, properties }) => [
        (JSON.parse(content.toString()) as Note).do,
        properties.headers,
      ]),
    )
    for (const [name, { status, endsRequest, says = '', executions = 2 }] of failures) {
      expect(dead.get(name), name).toMatchObject({ 'x-fpm-bridge-attempt': 2 })
      const isLost = endsRequest === true && args.length > 0
      expect(dead.get(name)?.['x-fpm-bridge-status'], name).toBe(isLost ? undefined : status)
      expect(dead.get(name)?.['x-fpm-bridge-stderr'] ?? '', name).toContain(says)
      const noted = readNotes(notes, 'executions').filter((note) => note['do'] === name)
      expect(noted, name).toHaveLength(executions)
    }
  },
)

test('what no serializer can decode is dead-lettered at once, with the reason', async ({
  broker,
  queue,
  notes,
  send,
  consume,
}) => {
  await send('php', [{ do: 'work', class: 'App\\Unknown' }])
  await publishAll(broker, queue, ['garbage', ''])
  const php = await consume('plain.php')
  await eventually('all are given up', () => count(php.log, 'Dead-lettered.') === 3)
  // A daemon that is killed may not have sent the acks of what it has just logged.
  php.signal('SIGTERM')
  expect(await php.exited).toMatchObject({ code: 0 })
  expect(await reasons(broker, queue)).toEqual([
    expect.stringContaining('Could not decode Envelope: unserialize(): Error at offset 0'),
    expect.stringContaining('Encoded envelope should have at least a "body"'),
    'Message class "App\\Unknown" not found during decoding.',
  ])

  await send('json', [{ do: 'work', class: 'App\\Unknown' }])
  const headers = { type: 'App\\Task' }
  await publishAll(broker, queue, ['{"do":'], { headers })
  await publishAll(broker, queue, ['{"do":"work","bytes":""}'])
  const json = await consume('plain.php', { environment: { SERIALIZER: 'json' } })
  await eventually('all are given up', () => count(json.log, 'Dead-lettered.') === 3)
  expect(await reasons(broker, queue)).toEqual([
    expect.stringContaining('Could not decode message: Could not denormalize'),
    'Could not decode message: Syntax error',
    expect.stringMatching(/should have at least a "body" and some "headers".*it has come without headers/),
  ])
  expect(readNotes(notes, 'executions')).toEqual([])
})

test('a daemon with --payload form is told so, and does not lose the message', async ({
  broker,
  queue,
  send,
  consume,
}) => {
  await send('json', [{ do: 'work' }])
  const daemon = await consume('plain.php', { payload: 'form', environment: { SERIALIZER: 'json' } })
  await daemon.waitForLine('Dead-lettered.')
  const [dead] = await takeAll(broker, `${queue}.dead`)
  expect(dead?.properties.headers).toMatchObject({
    'x-fpm-bridge-attempt': 2,
    'x-fpm-bridge-stderr': expect.stringContaining('start the daemon with --payload raw'),
  })
})

/** What the worker said of each dead letter, in order. */
async function reasons(broker: Broker, queue: string): Promise<(string | undefined)[]> {
  const dead = await takeAll(broker, `${queue}.dead`)
  const said = dead.map(({ properties }) => String(properties.headers?.['x-fpm-bridge-stderr']))
  return said.map((text) => /it cannot be decoded: (.*)/.exec(text)?.[1]).sort()
}
