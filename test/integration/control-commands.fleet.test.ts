import { expect } from 'vitest'
import type { BridgeState, DaemonReport } from '../../src/control/protocol.ts'
import { runBridge, spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { startScriptedFleet } from '../support/scripted-fleet.ts'

/* What operators type, where daemons are many, or answer what no daemon of this version would. */

type Answers = Parameters<typeof startScriptedFleet>[2]

const test = base.extend<{
  answer: (answers: Answers) => ReturnType<typeof startScriptedFleet>
  tell: (command: string, ...args: string[]) => ReturnType<typeof runBridge>
}>({
  answer: async ({ broker, queue }, use) => {
    const fleets: Awaited<ReturnType<typeof startScriptedFleet>>[] = []
    await use(async (answers) => {
      const fleet = await startScriptedFleet(broker, queue, answers)
      fleets.push(fleet)
      return fleet
    })
    for (const fleet of fleets) await fleet.close()
  },
  tell: async ({ broker, queue }, use) => {
    await use((command, ...args) => runBridge([command, '--url', broker.url, '--queue', queue, ...args]))
  },
})

const report = (queue: string, id: string, state: BridgeState = 'running'): DaemonReport => ({
  daemon_id: id,
  host: 'web1',
  pid: 7,
  version: '1.2.3',
  uptime_s: 5,
  bridges: [
    {
      name: queue,
      queue,
      state,
      session: 'up',
      in_flight: 0,
      concurrency: 1,
      waiting: 0,
      messages: { executed: 1 },
      rate: 0,
    },
  ],
})

test('a thousand daemons, each of which answers twice, are a thousand lines', async ({
  queue,
  answer,
  tell,
}) => {
  const ids = Array.from({ length: 1_000 }, (_, n) => `D-${String(n).padStart(4, '0')}`)
  await answer(() => [...ids, ...ids].reverse().map((id) => report(queue, id)))
  // On a busy machine they may answer later than ps waits: then once more.
  const lines = (...args: string[]) =>
    eventually('all are heard', async () => {
      const { code, stdout, log } = await tell('ps', ...args)
      expect({ code, log }).toEqual({ code: 0, log: [] })
      return stdout.length >= 1_000 && stdout
    })
  expect((await lines('--json')).map((line) => (JSON.parse(line) as DaemonReport).daemon_id)).toEqual(ids)
  expect(await lines()).toHaveLength(1_001)
})

test('garbage among the answers is none, and strange answers stay on their lines', async ({
  queue,
  answer,
  tell,
}) => {
  const strange = { daemon_id: 'D-2\n\u001b[2J', pid: 8, bridges: [{ queue, state: 'asleep', pause: 7 }] }
  await answer(() => ['', '{', 'null', '[]', '\u0000', { daemon_id: 'x' }, report(queue, 'D-1'), strange])
  const { code, stdout, log } = await tell('ps')
  expect({ code, log }).toEqual({ code: 0, log: [] })
  expect(stdout).toHaveLength(3)
  expect(stdout[1]).toMatch(/^D-1 /)
  expect(stdout[2]).toMatch(/^D-2\\u000a\\u001b\[2J .* asleep /)
})

test('each that has not obeyed is named, with its reason', async ({ broker, queue, answer, tell }) => {
  await publishAll(broker, queue, [])
  await answer(() => [report(queue, 'D-1', 'paused'), { ...report(queue, 'D-2'), error: 'it has no broker' }])
  expect(await tell('pause')).toMatchObject({
    code: 75,
    stdout: [expect.stringMatching(/is paused until somebody resumes it: 1 daemon took notice$/)],
    log: [{ message: 'fpm-bridge: D-2 (web1, pid 7): it has no broker' }],
  })
  expect(await tell('resume')).toMatchObject({
    code: 75,
    stdout: [/not paused any more/, /1 daemon took/].map((text) => expect.stringMatching(text)),
  })
})

test('drain --wait asks until all have drained, and gives up one that somebody resumes', async ({
  broker,
  queue,
  answer,
  tell,
}) => {
  let [one, two]: BridgeState[] = ['draining', 'draining']
  const fleet = await answer(() => [
    report(queue, 'D-1', one),
    report(queue, 'D-2', two),
    // Started later: nobody waits for it.
    ...(one === 'drained' ? [report(queue, 'D-3')] : []),
  ])
  const waiting = await spawnBridge(['drain', '--url', broker.url, '--queue', queue, '--wait'])
  await eventually('it asks', () => fleet.heard.filter((verb) => verb === 'ping').length >= 2)
  one = 'drained'
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(waiting.exit).toBeUndefined()
  two = 'drained'
  expect(await waiting.exited).toMatchObject({ code: 0 })
  expect(waiting.stdout).toEqual(['2 daemons told to drain; 0 in flight', '2 daemons drained'])

  one = 'running'
  expect(await tell('drain', '--wait')).toMatchObject({
    code: 75,
    log: [{ message: expect.stringContaining('somebody has resumed it before it had drained: D-1') }],
  })
})

test('reload names a daemon that does not say how it went', async ({ queue, answer, tell }) => {
  await answer((verb) => [report(queue, 'D-1'), ...(verb === 'ping' ? [report(queue, 'D-2')] : [])])
  expect(await tell('reload')).toMatchObject({
    code: 75,
    stdout: ['1 daemon reloaded'],
    log: [{ message: expect.stringContaining('D-2 (web1, pid 7): it did not say within 15 s') }],
  })
})
