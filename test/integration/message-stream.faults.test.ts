import { describe, expect } from 'vitest'
import { bodyOf, bound, failureOf, numbers, test } from '../support/message-streams.ts'

describe('a message stream that goes wrong', () => {
  test('does not take a long message for unread because of what was sent behind it, and was given to others', async ({
    streams,
  }) => {
    const { send, begun } = bound(await streams({ options: { concurrency: 2 } }))
    for (const n of numbers(1, 20)) await send(n)
    const poison = send(21, { ms: 500, do: 'die' }).then(bodyOf, failureOf)
    await Promise.all(numbers(22, 25).map((n) => send(n)))
    expect(await poison).toEqual({ code: 'CONNECTION_LOST', phase: 'receive' })
    expect(begun().sort((a, b) => a - b)).toEqual(numbers(1, 25))
  })
})
