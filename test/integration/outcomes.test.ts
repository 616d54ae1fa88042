import { expect } from 'vitest'
import type { LogLine } from '../support/bridge-process.ts'
import { outcomesOf } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { readyIn } from '../support/queue-counts.ts'
import { workerThat } from '../support/worker-script.ts'
import { ANSWERS, type Case, DEATHS, FATAL_ERRORS, MARKED, withMarker } from './outcome-cases.ts'

/* The outcome table, each row caused by a script in a real pool. What no script has seen is in hold.test.ts. */

/** The groups, and the pool and the options that each is for. */
const GROUPS = [
  { what: 'answers', cases: [...ANSWERS, ...MARKED], ini: {}, args: [] },
  { what: 'answers, with --require-marker', cases: withMarker, ini: {}, args: ['--require-marker'] },
  {
    what: 'fatal errors, with display_errors off',
    cases: FATAL_ERRORS(500),
    ini: { log_errors: 'on' },
    args: [],
  },
  {
    what: 'fatal errors, with display_errors on',
    cases: FATAL_ERRORS(200),
    ini: { log_errors: 'on', display_errors: 'on' },
    args: [],
  },
  { what: 'deaths', cases: DEATHS, ini: {}, args: ['--timeout', '1500ms'] },
] as const

/** A script that is given up sleeps on in its child: there are enough for the others not to wait for it. */
const CHILDREN = 8

/** Without a time limit of our own, or its own would come first. */
const TERMINATED: readonly Case[] = [
  ['request_terminate_timeout', 'sleep(10);', 'retry', 'lost', /ended before the answer was complete/],
]

test.for(GROUPS)(
  '--ack completed: $what',
  async ({ cases, ini, args }, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ children: CHILDREN, ini: { memory_limit: '16M', ...ini } })
    await publishCases(broker, queue, cases)
    const retries = ['--retry-delay', '100ms', '--retry-max-delay', '1s', '--max-attempts', '2']
    const daemon = await startDaemon({
      socket: pool.socket,
      script: workerOf(cases),
      args: ['--ack', 'completed', ...retries, ...args],
    })
    await eventually('all are settled', () => allEnded(daemon.log, cases, ['executed', 'dead-letter']))

    expect(seen(daemon.log, cases)).toEqual(Object.fromEntries(cases.map(expectCompleted)))
    const dead = cases.filter(([, , completed]) => completed !== 'executed').map(([name]) => name)
    const copies = await takeAll(broker, `${queue}.dead`)
    expect(copies.map(({ properties }) => properties.messageId).sort()).toEqual([...dead].sort())
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    expect(await readyIn(broker, queue)).toBe(0)
  },
)

// Nothing but the log tells what came of a message that was acked when it was dispatched.
test.for(GROUPS.filter(({ args }) => !(args as readonly string[]).includes('--require-marker')))(
  '--ack dispatched: $what',
  async ({ cases, ini, args }, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ children: CHILDREN, ini: { memory_limit: '16M', ...ini } })
    await publishCases(broker, queue, cases)
    const daemon = await startDaemon({ socket: pool.socket, script: workerOf(cases), args })
    await eventually('all have ended', () => allEnded(daemon.log, cases))

    expect(seen(daemon.log, cases)).toEqual(Object.fromEntries(cases.map(expectDispatched)))
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    expect(await readyIn(broker, queue)).toBe(0)
    expect(await readyIn(broker, `${queue}.dead`)).toBe(0)
  },
)

test.for([
  ['completed', ['--ack', 'completed', '--max-attempts', '1'], 'dead-letter'],
  ['dispatched', [], 'lost'],
] as const)(
  '--ack %s: request_terminate_timeout',
  async ([, args, outcome], { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ settings: { request_terminate_timeout: '1s' } })
    await publishCases(broker, queue, TERMINATED)
    const daemon = await startDaemon({ socket: pool.socket, script: workerOf(TERMINATED), args })
    const line = await eventually(
      'it has ended',
      () => outcomesOf(daemon.log, 'request_terminate_timeout')[0],
    )
    expect(line).toMatchObject({ outcome, reason: expect.stringMatching(TERMINATED[0]?.[4] ?? /never/) })
  },
)

test.for(['completed', 'dispatched'])(
  '--ack %s: what cannot become a request is dead-lettered, and was no attempt',
  async (ack, { broker, queue, startDaemon }) => {
    const worker = workerThat('')
    await publishAll(broker, queue, ['not JSON'], { messageId: 'M-1' })
    const args = ['--ack', ack, '--max-body', '1KiB']
    const daemon = await startDaemon({ script: worker.path, args })
    const line = await daemon.waitForLine('Dead-lettered.')
    expect(line).toMatchObject({ outcome: 'dead-letter', reason: expect.stringContaining('is not JSON') })
    await publishAll(broker, queue, [{ large: 'x'.repeat(1_024) }], { messageId: 'M-2' })
    const larger = await daemon.waitForLine('--max-body allows 1024')
    expect(larger).toMatchObject({ message_id: 'M-2', outcome: 'dead-letter', attempt: 0 })
    expect(worker.executions()).toEqual([])
  },
)

type Cases = readonly Case[]

async function publishCases(broker: { url: string }, queue: string, cases: Cases): Promise<void> {
  const names = cases.map(([name]) => name)
  await publishAll(
    broker,
    queue,
    names.map((name) => ({ case: name })),
    (index) => ({ messageId: names[index] ?? '' }),
  )
}

function workerOf(cases: Cases): string {
  const branches = cases.map(([name, php]) => `case ${JSON.stringify(name)}: ${php} break;`)
  return workerThat(`switch ($_POST['case']) { ${branches.join('\n')} }`).path
}

function allEnded(log: readonly LogLine[], cases: Cases, among?: readonly unknown[]): boolean {
  return cases.every(([name]) => {
    const last = outcomesOf(log, name).at(-1)
    return last !== undefined && (among === undefined || among.includes(last['outcome']))
  })
}

/** By message: what every line about it has, and nothing but that. */
function seen(log: readonly LogLine[], cases: Cases): Record<string, unknown[]> {
  return Object.fromEntries(
    cases.map(([name]) => [
      name,
      outcomesOf(log, name).map(
        ({ outcome, attempt, reason, delay_ms: delayMs, execution_id: executionId }) => {
          expect(executionId).toMatch(/^[0-9a-f-]{36}$/)
          return { outcome, attempt, reason, delayMs }
        },
      ),
    ]),
  )
}

function expectCompleted([name, , outcome, , reason, delayMs = 100]: Case): [string, unknown[]] {
  if (outcome === 'executed') return [name, [line('executed', 1)]]
  if (outcome === 'dead-letter') return [name, [line('dead-letter', 1, reason)]]
  const again = { ...line('retry', 1, reason), delayMs }
  const gaveUp = new RegExp(`^attempt 2 of 2: .*${reason.source.replace(/^\^/, '')}`, 's')
  return [name, [again, line('dead-letter', 2, gaveUp)]]
}

function expectDispatched([name, , , outcome, reason]: Case): [string, unknown[]] {
  return [name, [outcome === 'executed' ? line('executed', 1) : line(outcome, 1, reason)]]
}

function line(outcome: string, attempt: number, reason?: RegExp) {
  return {
    outcome,
    attempt,
    reason: reason && expect.stringMatching(reason),
    delayMs: undefined,
  }
}
