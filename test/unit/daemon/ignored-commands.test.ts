import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { IgnoredCommands } from '../../../src/daemon/ignored-commands.ts'
import { recordingEvents } from '../../support/recording.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('are told of at once, and then once a minute, with how many there were', () => {
  const events = recordingEvents()
  const ignored = new IgnoredCommands(events.tell)
  for (const reason of ['a', 'b', 'c']) ignored.add(reason)
  expect(events.all).toEqual([{ kind: 'command-ignored', reason: 'a', count: 1 }])
  vi.advanceTimersByTime(60_000)
  expect(events.all.slice(1)).toEqual([{ kind: 'command-ignored', reason: 'c', count: 2 }])
  vi.advanceTimersByTime(60_000)
  expect(vi.getTimerCount()).toBe(0)
  ignored.add('d')
  expect(events.all.slice(2)).toEqual([{ kind: 'command-ignored', reason: 'd', count: 1 }])
  ignored.close()
})
