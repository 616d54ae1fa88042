import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ChildListener, StartChild } from '../../../src/daemon/child.ts'
import type { ToChild } from '../../../src/daemon/fleet-messages.ts'
import { FleetWatch } from '../../../src/daemon/fleet-watch.ts'
import type { ProcessRecord } from '../../../src/daemon/process-record.ts'
import { fleetObstructionsOf, notAlive } from '../../../src/observe/fleet-health.ts'
import type { ProcessReport } from '../../../src/observe/fleet-views.ts'
import { gaugesOf } from '../../../src/observe/gauges.ts'
import { Meters } from '../../../src/observe/meter.ts'
import { bridgeView, EXECUTED } from '../../support/views.ts'

/* Processes that say what a test has them say, under its clock. */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Of a process that has executed so many. */
function reportOf(executed: number, obstructions: ProcessReport['obstructions'] = []): ProcessReport {
  const meters = new Meters()
  const tell = meters.subscriber('q')
  for (let n = 0; n < executed; n += 1) tell(EXECUTED)
  return { obstructions, totals: meters.totals, gauges: gaugesOf([bridgeView({ queue: 'q' })]) }
}

class Process {
  readonly listener: ChildListener
  readonly told: ToChild[] = []

  constructor(listener: ChildListener) {
    this.listener = listener
  }

  /** Consumes, and says so. */
  work(executed = 0): void {
    this.listener.told({ kind: 'consumes' })
    this.say(executed)
  }

  say(executed: number, obstructions?: ProcessReport['obstructions']): void {
    this.listener.told({ kind: 'report', report: reportOf(executed, obstructions) })
  }

  /** All that has been asked. */
  answer(executed = 0): void {
    for (const message of this.told.splice(0))
      if (message.kind === 'ask')
        this.listener.told({ kind: 'report', to: message.question, report: reportOf(executed) })
  }

  end(signal: NodeJS.Signals | null = 'SIGKILL'): void {
    this.listener.ended({ code: signal === null ? 0 : null, signal })
  }

  fallSilent(): void {
    this.listener.silent?.()
  }
}

function fleet(ids: readonly string[] = ['F-1', 'F-2'], canStart = true) {
  const watch = new FleetWatch({ daemonId: 'F', version: '1.2.3', ids }, () => [])
  const made: Process[] = []
  const start: StartChild = (_, listener) => {
    const process = new Process(listener)
    made.push(process)
    return {
      pid: canStart ? 1_000 : undefined,
      tell: (message) => process.told.push(message),
      signal: () => {},
    }
  }
  const begin = watch.watching(start)
  const startOne = (id: string): Process => {
    begin(id, { told: () => {}, ended: () => {} })
    return made.at(-1) as Process
  }
  const all = ids.map(startOne)
  const executed = () => watch.totals['q']?.counts.executed
  return { watch, all: all as [Process, ...Process[]], startOne, executed }
}

describe('what has been counted', () => {
  it('is the sum of all, and stays when one ends', () => {
    const { all, startOne, executed } = fleet()
    all[0].work(3)
    all[1]?.work(4)
    expect(executed()).toBe(7)
    all[0].end()
    expect(executed()).toBe(7)
    all[0].fallSilent()
    expect(executed()).toBe(7)
    startOne('F-1').work(1)
    expect(executed()).toBe(8)
  })

  it('has the last words of a process that come after its end', () => {
    const { all, executed } = fleet()
    all[0].work(3)
    all[0].end(null)
    all[0].say(5)
    expect(executed()).toBe(5)
    all[0].fallSilent()
    all[0].fallSilent()
    expect(executed()).toBe(5)
  })

  it('has histograms, too, and queues that only one process has had', () => {
    const { watch, all } = fleet()
    all[0].work(2)
    expect(watch.totals['q']?.executionSeconds.sum).toBeCloseTo(0.006)
    expect(watch.totals['q']?.executionSeconds.counts.reduce((sum, count) => sum + count)).toBe(2)
  })
})

describe('records', () => {
  const record = { daemon_id: 'F-1', reason: 'SIGTERM' } as unknown as ProcessRecord

  it('are what processes have left; of one that was killed, what is known of it', () => {
    const { watch, all } = fleet()
    all[0].work(3)
    all[0].listener.told({ kind: 'record', record })
    all[0].end(null)
    all[0].fallSilent()
    all[1]?.work(2)
    all[1]?.end()
    all[1]?.fallSilent()
    expect(watch.records).toEqual([
      expect.objectContaining({
        daemon_id: 'F-2',
        reason: 'SIGKILL',
        queues: ['q'],
        messages: { executed: 2, retry: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 },
      }),
      record,
    ])
  })

  it('are the last hundred; one that could not be started has one, too', () => {
    const { watch, startOne } = fleet(['F-1'], false)
    for (let n = 0; n < 101; n += 1) startOne('F-1').listener.ended({ code: null, signal: null })
    expect(watch.records).toHaveLength(100)
    expect(watch.records[0]).toMatchObject({ daemon_id: 'F-1', reason: 'not started' })
  })
})

describe('a question', () => {
  const soon = (promise: Promise<void>): Promise<boolean> =>
    Promise.race([promise.then(() => true), vi.advanceTimersByTimeAsync(0).then(() => false)])

  it('is for those who have said something; it is over when all have answered', async () => {
    const { watch, all } = fleet()
    all[0].work()
    const asked = watch.ask('report', 1_000)
    expect(await soon(asked)).toBe(false)
    expect(all[1]?.told).toEqual([])
    all[0].answer()
    expect(await soon(asked)).toBe(true)
  })

  it('is over when one ends that was asked', async () => {
    const { watch, all } = fleet()
    all[0].work()
    const asked = watch.ask('status', 1_000)
    all[0].end()
    expect(await soon(asked)).toBe(true)
  })

  it('waits for nobody who is known to be silent, and is not put twice', async () => {
    const { watch, all } = fleet()
    all[0].work()
    const asked = watch.ask('report', 1_000)
    await vi.advanceTimersByTimeAsync(999)
    expect(await soon(asked)).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await soon(asked)).toBe(true)
    for (let n = 0; n < 5; n += 1) expect(await soon(watch.ask('report', 1_000))).toBe(true)
    expect(all[0].told).toHaveLength(1)
    expect(watch.slots[0]?.processes[0]?.silentSince).toBeDefined()
    all[0].answer()
    expect(watch.slots[0]?.processes[0]?.silentSince).toBeUndefined()
  })
})

describe('a fleet', () => {
  const alive = async ({ watch }: ReturnType<typeof fleet>) => {
    const asked = watch.ask('report', 2_000)
    await vi.advanceTimersByTimeAsync(2_000)
    await asked
    return notAlive(watch)
  }
  const NO_ANSWER = { process: 'F-1', reason: 'no answer' }

  it('is alive while it starts, unless that takes for ever', async () => {
    const one = fleet(['F-1'])
    expect(await alive(one)).toEqual([])
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await alive(one)).toEqual([NO_ANSWER])
  })

  it('is not, while one does not answer', async () => {
    const one = fleet(['F-1'])
    one.all[0].work()
    expect(await alive(one)).toEqual([NO_ANSWER])
    one.all[0].answer()
    expect(notAlive(one.watch)).toEqual([])
  })

  it('is not, while there is none in place of one that ended; but the end of a fleet is in order', () => {
    const one = fleet(['F-1'])
    one.all[0].end()
    expect(notAlive(one.watch)).toMatchObject([{ process: 'F-1' }])
    one.watch.drain()
    expect(notAlive(one.watch)).toEqual([])
  })

  it('is ready when each slot has a process that works, and one that drains beside it does not count', async () => {
    const { watch, all, startOne } = fleet()
    expect(await fleetObstructionsOf(watch)).toEqual([
      { process: 'F-1', reason: 'starting' },
      { process: 'F-2', reason: 'starting' },
    ])
    all[0].work()
    all[1]?.say(0, [{ bridge: 'q', reason: 'not consuming' }])
    expect(await fleetObstructionsOf(watch)).toEqual([
      { process: 'F-2', bridge: 'q', reason: 'not consuming' },
    ])
    all[1]?.work()
    expect(await fleetObstructionsOf(watch)).toEqual([])
    const successor = startOne('F-1')
    expect(await fleetObstructionsOf(watch)).toEqual([])
    successor.work()
    all[0].say(0, [{ reason: 'draining' }])
    expect(await fleetObstructionsOf(watch)).toEqual([])
    watch.drain()
    expect(await fleetObstructionsOf(watch)).toEqual([{ reason: 'draining' }])
  })

  it('stays ready for a while when it has lost one; not when it has lost all', async () => {
    const { watch, all, startOne } = fleet()
    for (const each of all) each.work()
    all[0].end()
    startOne('F-1')
    expect(await fleetObstructionsOf(watch)).toEqual([])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await fleetObstructionsOf(watch)).toEqual([{ process: 'F-1', reason: 'starting' }])
    all[1]?.end()
    expect(await fleetObstructionsOf(watch)).toEqual([
      { process: 'F-1', reason: 'starting' },
      { process: 'F-2', reason: 'has ended' },
    ])
  })
})
