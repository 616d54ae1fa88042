import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Signals } from '../../../src/command-line/signals.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Signals of a process that is none, and what a listener is told of them. */
function signals() {
  const source = new EventEmitter()
  const taken = new Signals(source)
  const told: string[] = []
  const listen = () =>
    taken.listen({
      end: (signal) => told.push(`end ${signal}`),
      leave: (signal) => told.push(`leave ${signal}`),
      hangUp: (signal) => told.push(`hang up ${signal}`),
      toggleDebug: (signal) => told.push(`toggle debug ${signal}`),
      ignore: (signal) => told.push(`ignore ${signal}`),
    })
  return { send: (signal: string) => source.emit(signal, signal), taken, told, listen }
}

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGQUIT'])('%s asks for the end', (signal) => {
    const { send, taken, told, listen } = signals()
    listen()
    expect(taken.ending).toBe(false)
    expect(send(signal)).toBe(true)
    expect([taken.ending, told]).toEqual([true, [`end ${signal}`]])
  })

  it('SIGHUP asks for another look at the configuration, each time', () => {
    const { send, taken, told, listen } = signals()
    expect(send('SIGHUP')).toBe(true)
    listen()
    expect(send('SIGHUP')).toBe(true)
    expect([taken.ending, told]).toEqual([false, ['hang up SIGHUP', 'hang up SIGHUP']])
  })

  it.each([
    ['SIGUSR1', 'asks for debug lines, or for none', 'toggle debug SIGUSR1'],
    ['SIGUSR2', 'changes nothing', 'ignore SIGUSR2'],
  ])('%s %s', (signal, _, heard) => {
    const { send, taken, told, listen } = signals()
    listen()
    expect(send(signal)).toBe(true)
    expect([taken.ending, told]).toEqual([false, [heard]])
  })

  it('within a second of the first are the same', () => {
    const { send, told, listen } = signals()
    listen()
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM']) {
      send(signal)
      vi.advanceTimersByTime(500)
    }
    expect(told).toEqual(['end SIGINT'])
  })

  it('after a second mean that somebody has lost patience, each of them', () => {
    const { send, told, listen } = signals()
    listen()
    send('SIGTERM')
    for (const signal of ['SIGQUIT', 'SIGTERM']) {
      vi.advanceTimersByTime(1_001)
      send(signal)
    }
    expect(told).toEqual(['end SIGTERM', 'leave SIGQUIT', 'leave SIGTERM'])
  })

  it('that are ignored do not make the next one a second', () => {
    const { send, told, listen } = signals()
    listen()
    send('SIGUSR2')
    vi.advanceTimersByTime(5_000)
    send('SIGTERM')
    expect(told).toEqual(['ignore SIGUSR2', 'end SIGTERM'])
  })

  it('that came before anybody listened are told then, by the time at which they came', () => {
    const { send, told, listen } = signals()
    send('SIGUSR2')
    send('SIGTERM')
    send('SIGTERM')
    vi.advanceTimersByTime(5_000)
    expect(told).toEqual([])
    listen()
    expect(told).toEqual(['ignore SIGUSR2', 'end SIGTERM'])
  })
})
