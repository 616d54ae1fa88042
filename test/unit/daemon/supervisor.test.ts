import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ChildListener, StartChild } from '../../../src/daemon/child.ts'
import type { ToChild } from '../../../src/daemon/fleet-messages.ts'
import { Supervisor } from '../../../src/daemon/supervisor.ts'
import { recordingLog } from '../observe/recording-log.ts'

/* Processes that do as they are told by a test, under the clock of the test. */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

class Process {
  readonly id: string
  readonly listener: ChildListener
  readonly told: ToChild['kind'][] = []
  readonly signals: NodeJS.Signals[] = []
  hasEnded = false

  constructor(id: string, listener: ChildListener) {
    this.id = id
    this.listener = listener
  }

  consume(): void {
    this.listener.told({ kind: 'consumes' })
  }

  end(code: number | null = null, signal: NodeJS.Signals | null = code === null ? 'SIGKILL' : null): void {
    this.hasEnded = true
    this.listener.ended({ code, signal })
  }
}

function fleetOf(instances: number) {
  const processes: Process[] = []
  const start: StartChild = (id, listener) => {
    const made = new Process(id, listener)
    processes.push(made)
    return {
      pid: 1_000 + processes.length,
      tell: ({ kind }) => made.told.push(kind),
      signal: (signal) => made.signals.push(signal),
    }
  }
  const log = recordingLog()
  const ids = Array.from({ length: instances }, (_, index) => `F-${index + 1}`)
  const supervisor = new Supervisor({ ids, start, log, drainTimeout: () => 5_000 })
  let exitCode: number | undefined
  void supervisor.run().then((code) => {
    exitCode = code
  })
  const living = () => processes.filter(({ hasEnded }) => !hasEnded)
  return {
    supervisor,
    processes,
    log,
    living,
    exitCode: async () => {
      await vi.advanceTimersByTimeAsync(0)
      return exitCode
    },
    /** All of them are there and consume, for long enough. */
    async work() {
      living()[0]?.consume()
      for (const each of living().slice(1)) each.consume()
      await vi.advanceTimersByTimeAsync(10_000)
    },
  }
}

describe('at the start', () => {
  it('one process tries the configuration before the others', async () => {
    const { processes, living } = fleetOf(3)
    expect(processes.map(({ id }) => id)).toEqual(['F-1'])
    processes[0]?.consume()
    expect(living().map(({ id }) => id)).toEqual(['F-1', 'F-2', 'F-3'])
  })

  it('the others do not wait for ever', async () => {
    const { living } = fleetOf(3)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(living()).toHaveLength(3)
  })

  it.each([64, 78])('a process that exits with %i ends the fleet, and nothing starts again', async (code) => {
    const { processes, log, exitCode } = fleetOf(3)
    processes[0]?.end(code)
    expect(await exitCode()).toBe(code)
    expect(processes).toHaveLength(1)
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: expect.stringContaining('its configuration is wrong') },
      { fields: { exit_code: code } },
    ])
  })

  it('one that exits with 78 when others work is started again, and again', async () => {
    const fleet = fleetOf(2)
    await fleet.work()
    for (const _ of [1, 2, 3]) {
      fleet.living()[1]?.end(78)
      await vi.advanceTimersByTimeAsync(30_000)
    }
    expect(fleet.living()).toHaveLength(2)
    expect(await fleet.exitCode()).toBeUndefined()
  })
})

it('processes that end together are all replaced at once', async () => {
  const fleet = fleetOf(4)
  await fleet.work()
  for (const each of fleet.living()) each.end()
  expect(fleet.living().map(({ id }) => id)).toEqual(['F-1', 'F-2', 'F-3', 'F-4'])
})

it('a loop is told of when it begins to rest for longer, and not each time round', async () => {
  const fleet = fleetOf(2)
  await fleet.work()
  for (let n = 1; n <= 20; n += 1) {
    fleet.living()[1]?.end(70)
    await vi.advanceTimersByTimeAsync(31_000)
  }
  const warnings = fleet.log.lines.filter(({ level }) => level === 'warn')
  expect(warnings.map(({ fields }) => fields['failures'])).toEqual([undefined, undefined, 2, 3, 4, 5, 6])
  fleet.living()[1]?.consume()
  expect(fleet.log.lines.at(-1)).toMatchObject({ message: 'A process of the fleet consumes again.' })
})

it('a successor works before the one that is tired retires', async () => {
  const fleet = fleetOf(1)
  await fleet.work()
  const [former] = fleet.processes
  former?.listener.told({ kind: 'tired', reason: 'max-messages' })
  await vi.advanceTimersByTimeAsync(0)
  const [, successor] = fleet.processes
  expect(former?.told).toEqual([])
  successor?.consume()
  expect(former?.told).toEqual(['retire'])
  former?.end(0)
  expect(fleet.living()).toEqual([successor])
})

it('a reload goes through the fleet, one process after the other', async () => {
  const fleet = fleetOf(3)
  await fleet.work()
  const told = () => fleet.processes.map(({ told }) => told.length)
  const reloaded = fleet.supervisor.reload()
  expect(told()).toEqual([1, 0, 0])
  fleet.processes[0]?.listener.told({ kind: 'reloaded' })
  await vi.advanceTimersByTimeAsync(0)
  expect(told()).toEqual([1, 1, 0])
  // One that ends has read it when it is there again; one that does not come to an end is not waited for.
  fleet.processes[1]?.end()
  await vi.advanceTimersByTimeAsync(0)
  expect(told()).toEqual([1, 1, 1, 0])
  await vi.advanceTimersByTimeAsync(30_000)
  await reloaded
})

describe('a drain', () => {
  it.each<[string, number | null, NodeJS.Signals | null, number]>([
    ['in order', 0, null, 0],
    ['that a process has not heard of yet', null, 'SIGTERM', 0],
    ['past its time', 75, null, 75],
    ['with a process that is killed', null, 'SIGKILL', 75],
  ])('%s', async (_, code, signal, expected) => {
    const fleet = fleetOf(2)
    await fleet.work()
    fleet.supervisor.drain('SIGTERM')
    expect(fleet.living().map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM']])
    fleet.living()[0]?.end(0)
    expect(await fleet.exitCode()).toBeUndefined()
    fleet.living()[0]?.end(code, signal)
    expect(await fleet.exitCode()).toBe(expected)
    expect(fleet.processes).toHaveLength(2)
  })

  it('is bounded, and sooner with a second signal', async () => {
    for (const [leaves, within] of [
      [false, 8_000],
      [true, 3_000],
    ] as const) {
      const fleet = fleetOf(2)
      await fleet.work()
      fleet.supervisor.drain('SIGTERM')
      if (leaves) fleet.supervisor.leave('SIGTERM')
      await vi.advanceTimersByTimeAsync(within - 1)
      expect(fleet.processes[0]?.signals).not.toContain('SIGKILL')
      await vi.advanceTimersByTimeAsync(1)
      for (const each of fleet.living()) {
        expect(each.signals.at(-1)).toBe('SIGKILL')
        each.end()
      }
      expect(await fleet.exitCode()).toBe(75)
    }
  })
})
