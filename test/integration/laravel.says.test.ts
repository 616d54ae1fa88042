import { expect } from 'vitest'
import { test } from '../support/laravel.ts'
import { DONE, payloadOf, send, told } from '../support/laravel-requests.ts'

/* What a job can say that Laravel has no word for, and what is said of each. */

test('a Hold holds, and uses up neither tries nor maxExceptions', async ({ broker, queue, laravel }) => {
  const app = await laravel()
  const set = { tries: 1, maxExceptions: 1 }
  const payload = await payloadOf({ name: 'it', does: ['hold 30'], set }, app, broker, queue)
  for (let execution = 1; execution <= 3; execution += 1) {
    expect(told(await send(app, payload))).toEqual([503, 'hold', '30'])
  }
  expect(told(await send(app, payload, { maxAttempts: 1 }))).toEqual([503, 'hold', '30'])
  expect(await app.failedJobs()).toEqual([])

  // What has been deleted is gone, whatever comes then.
  const deleted = await payloadOf({ name: 'it', does: ['delete-and-hold'], set }, app, broker, queue)
  expect(told(await send(app, deleted))).toEqual(DONE)
})

test('the name of the job is its subject, and the ids of the execution are in the context of the log', async ({
  broker,
  queue,
  laravel,
}) => {
  const app = await laravel({ environment: { LOG_NOTES: '1' } })
  for (const [what, outcome] of [
    ['return', 'ack'],
    ['throw', 'retry'],
    ['exit', 'retry'],
  ]) {
    const payload = await payloadOf({ name: 'it', does: [what ?? ''], set: { tries: 2 } }, app, broker, queue)
    const response = await send(app, payload)
    expect(response.headers.get('x-bridge-outcome'), what).toEqual([outcome])
    expect(response.headers.get('x-bridge-subject'), what).toEqual(['App\\Step'])
  }
  expect(app.notes().find(({ event }) => event === 'shareContext')).toEqual({
    event: 'shareContext',
    execution_id: 'e6b1a1f2-0000-4000-8000-000000000001',
    message_id: null,
  })
})
