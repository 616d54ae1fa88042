import { expect, it } from 'vitest'
import { DrainWatch } from '../../../../src/commands/control/drain-watch.ts'
import type { BridgeState, DaemonReport } from '../../../../src/control/protocol.ts'

const report = (pid: number, ...states: BridgeState[]): DaemonReport => ({
  daemon_id: 'D',
  host: 'web1',
  pid,
  version: '1',
  uptime_s: 1,
  bridges: states.map((state) => ({
    name: 'q',
    queue: 'q',
    state,
    session: 'up',
    in_flight: 0,
    concurrency: 1,
    waiting: 0,
    messages: {},
    rate: 0,
  })),
})

it('waits until each bridge of each process has drained', () => {
  const watch = new DrainWatch([report(1, 'drained', 'drained'), report(2, 'drained', 'draining')])
  expect(watch.waiting).toEqual(['D (web1, pid 2)'])
  watch.hear([report(1, 'drained'), report(2, 'drained', 'draining')])
  expect(watch.waiting).toHaveLength(1)
  watch.hear([report(2, 'drained', 'drained')])
  expect([watch.waiting, watch.failures]).toEqual([[], []])
})

it('does not mind a process that is gone once it has drained, nor others', () => {
  const watch = new DrainWatch([report(1, 'draining'), report(2, 'draining')])
  watch.hear([report(1, 'drained'), report(2, 'draining'), report(3, 'running')])
  for (let times = 0; times < 5; times += 1) watch.hear([report(2, 'draining'), report(3, 'running')])
  watch.hear([report(2, 'drained')])
  expect([watch.waiting, watch.failures]).toEqual([[], []])
})

it('takes a process for gone that misses three questions in turn, whoever else has its id', () => {
  const watch = new DrainWatch([report(1, 'draining')])
  for (const answers of [[], [], [report(1, 'draining')], [], [report(2, 'running')]]) watch.hear(answers)
  expect(watch.failures).toEqual([])
  watch.hear([])
  expect(watch.failures).toEqual(['gone before it said that it had drained: D (web1, pid 1)'])
})

it.each<BridgeState>(['running', 'held', 'paused'])('gives up one that somebody has resumed: %s', (state) => {
  const watch = new DrainWatch([report(1, 'draining')])
  watch.hear([report(1, 'starting')])
  expect(watch.failures).toEqual([])
  watch.hear([report(1, state)])
  expect(watch.failures).toEqual(['somebody has resumed it before it had drained: D (web1, pid 1)'])
})
