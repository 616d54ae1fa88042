import { expect } from 'vitest'
import type { FastCgiResponse } from '../../src/fastcgi/types.ts'
import type { Broker } from './broker-api.ts'
import type { JobSpec, Laravel } from './laravel.ts'
import { takeAll } from './messages.ts'
import { nativeClient } from './pool-client.ts'

/* Single requests to worker-php/laravel/queue.php, and what it answers. */

export interface Attempt {
  /** Default 1. */
  readonly attempt?: number
  /** Default 100. */
  readonly maxAttempts?: number
  /** Executions before the daemon's first, as laravel-queue-rabbitmq notes them; default 0. */
  readonly before?: number
}

/** Sends the payload as a message, as the daemon would. */
export async function send(
  laravel: Laravel,
  body: Buffer | string,
  at: Attempt = {},
): Promise<FastCgiResponse> {
  const { attempt = 1, maxAttempts = 100, before = 0 } = at
  const client = nativeClient(laravel.pool, { keepAlive: false })
  const params = {
    SCRIPT_FILENAME: laravel.script,
    CONTENT_TYPE: 'application/json',
    AMQP_DAEMON_ID: 'D-1f3a9c02',
    AMQP_QUEUE: 'commands',
    AMQP_EXECUTION_ID: 'e6b1a1f2-0000-4000-8000-000000000001',
    AMQP_ATTEMPT: String(attempt),
    AMQP_MAX_ATTEMPTS: String(maxAttempts),
    AMQP_HEADERS: JSON.stringify({ laravel: { attempts: before } }),
  }
  try {
    return await client.request({ params, body: Buffer.from(body) })
  } finally {
    await client.close()
  }
}

/** The payload that Laravel makes of the job: published, and taken from the queue. */
export async function payloadOf(
  job: JobSpec,
  laravel: Laravel,
  broker: Broker,
  queue: string,
): Promise<Buffer> {
  await laravel.dispatch(job)
  const [message] = await takeAll(broker, queue)
  return message?.content ?? expect.fail('nothing was published')
}

/** Status, outcome and seconds of an answer. */
export const told = ({ status, headers }: FastCgiResponse) => [
  status,
  headers.get('x-bridge-outcome')?.join(),
  headers.get('retry-after')?.join(),
]
export const DONE = [200, 'ack', undefined]
export const again = (seconds: number) => [503, 'retry', String(seconds)]
export const GIVEN_UP = [422, 'dead-letter', undefined]
