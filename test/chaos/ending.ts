import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../support/broker-api.ts'
import { eventually } from '../support/eventually.ts'
import { takeAll } from '../support/messages.ts'
import type { DeadLetter } from './books.ts'
import type { Arena } from './faults/arena.ts'
import type { Fleet } from './fleet.ts'
import { DEAD_LETTER_QUEUE, type Stage } from './stage.ts'

/** Milliseconds that the last messages get to come to their end, retries included. */
const QUIET_WITHIN = 240_000

/** Milliseconds after which kept connections are closed and buffers written. */
const IDLE_AFTER = 2_000

/**
 * Resolves when no queue but the dead-letter queue holds a message, ready or unacked.
 *
 * @throws when it does not come to that: the message has the queues
 */
export async function quiet({ broker }: Pick<Stage, 'broker'>): Promise<void> {
  let quietLooks = 0
  const isQuiet = async (): Promise<boolean> => {
    const busy = (await fullQueues(broker)).filter(({ name }) => name !== DEAD_LETTER_QUEUE)
    // The queues are not looked at at one moment: a message may go from one that is yet to be looked at to one that was.
    quietLooks = busy.length === 0 ? quietLooks + 1 : 0
    if (busy.length > 0) throw new Error(busy.map(({ name, messages }) => `${name}: ${messages}`).join('; '))
    return quietLooks === 2
  }
  await eventually('the queues are empty', isQuiet, { within: QUIET_WITHIN, every: 200 })
}

/**
 * Those that hold anything, what has expired and is being handed over included (x-dead-letter-strategy at-least-once): that is neither
 * ready nor unacked.
 */
export async function fullQueues(
  broker: Pick<Stage['broker'], 'evaluate'>,
): Promise<readonly { readonly name: string; readonly messages: number }[]> {
  const queues: { name: string; messages: number }[] = JSON.parse(
    await broker.evaluate(`
      rabbit_json:encode([
        #{name => Name, messages => Messages} ||
        [{_, {resource, _, _, Name}}, {_, Messages}] <- rabbit_amqqueue:info_all(<<"/">>, [name, messages])
      ]).`),
  )
  return queues.filter(({ messages }) => messages > 0)
}

/** Resolves when nothing goes on any more: between two looks at the queues, the worker has done nothing either. */
export async function settled(stage: Stage): Promise<void> {
  for (let lines = -1; lines !== stage.journal.read().length; ) {
    lines = stage.journal.read().length
    await quiet(stage)
    await sleep(IDLE_AFTER)
  }
}

/** Takes what is in the dead-letter queue, if there is one, out of it, and notes whose it was, and who put it there. */
export async function collectDeadLetters({
  stage,
  deadLetters,
}: Pick<Arena, 'stage' | 'deadLetters'>): Promise<void> {
  const queues = await stage.broker.api<{ name: string }[]>('GET', '/queues/%2F?columns=name')
  if (!queues.some(({ name }) => name === DEAD_LETTER_QUEUE)) return
  deadLetters.push(...(await takeDeadLetters(stage.broker, DEAD_LETTER_QUEUE)))
}

/** Takes all of them out of their queue. */
export async function takeDeadLetters(broker: Pick<Broker, 'url'>, queue: string): Promise<DeadLetter[]> {
  return (await takeAll(broker, queue)).map(({ properties, content }) => ({
    messageId: String(properties.messageId ?? content),
    daemonId: String(properties.headers?.['x-fpm-bridge-daemon-id']),
  }))
}

/** Ends the daemons one by one. Returns how long each took, in milliseconds; what does not end well is a failure. */
export async function drain(fleet: Fleet): Promise<number[]> {
  const times: number[] = []
  for (const daemon of fleet.current()) {
    const began = performance.now()
    daemon.dismissed = true
    daemon.process.signal('SIGTERM')
    const { code, signal } = await daemon.process.exited
    times.push(performance.now() - began)
    if (code !== 0)
      fleet.failures.push(`${daemon.id} did not drain when idle: it ended with ${code ?? signal}`)
  }
  return times
}

/** The ids of what is left in the other queues. */
export async function leftQueued({ broker }: Stage): Promise<Set<string>> {
  const ids = new Set<string>()
  for (const { name, ready } of await broker.queues()) {
    if (name === DEAD_LETTER_QUEUE || ready === 0) continue
    for (const { properties, content } of await takeAll(broker, name)) {
      ids.add(String(properties.messageId ?? content))
    }
  }
  return ids
}
