import { describe } from 'vitest'
import type { Counts } from '../../src/observe/counters.ts'
import { accountOf } from '../chaos/accounts.ts'
import { imbalances, totals } from '../chaos/books.ts'
import type { Asked } from '../chaos/message-plan.ts'
import { Stand } from '../chaos/stand.ts'
import { takeAway } from '../chaos/worker.ts'
import { HOLD_OVER, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { test } from '../support/fixtures.ts'
import { freePorts } from '../support/ports.ts'
import { signalChildren } from '../support/processes.ts'
import { type Releases, releaseAll } from '../support/releases.ts'

/* What a daemon counts, to the message, through one of everything that may become of it. */

const ALL_AT_ONCE: readonly Asked[] = [
  ...Array.from({ length: 10 }, () => ({ ms: 5 })),
  { failures: 1 },
  { failures: 1 },
  { failures: 99 },
  { refused: true },
  { deaths: 1 },
  { unprocessable: true },
]

/** Of those, of one that meets no script at first, and with `completed` of one whose session ends under it. */
const COUNTED: readonly [
  mode: 'completed' | 'dispatched',
  counts: Omit<Counts, 'hold'>,
  args: readonly string[],
][] = [
  [
    'completed',
    { executed: 15, retry: 5, refused: 0, lost: 0, 'dead-letter': 3 },
    ['--retry-delay', '200ms', '--max-attempts', '3'],
  ],
  ['dispatched', { executed: 11, retry: 0, refused: 4, lost: 1, 'dead-letter': 1 }, []],
]

describe.concurrent('the counters are what the journal says', () => {
  test.for(COUNTED)('--ack %s', async ([mode, counts, args], { broker, queue, expect }) => {
    const releases: Releases = []
    try {
      const [port] = (await freePorts(1)) as [number]
      const link = await startFaultProxy(port, broker.port)
      releases.push(() => link.close())
      const stand = await Stand.open({ broker, mode, queue, pool: { children: 4 } }, releases)
      const url = `amqp://guest:guest@127.0.0.1:${port}`
      await stand.startDaemon({ url, args: [...args, '--concurrency', '4', '--log-level', 'debug'] })

      for (const [index, asked] of ALL_AT_ONCE.entries()) await stand.publish(`${queue}-${index}`, asked)
      await settled(stand, ALL_AT_ONCE.length)
      await meetNoScript(stand, `${queue}-held`)
      // With `dispatched` the ack may be on its way when the link ends, or not.
      if (mode === 'completed') await loseSession({ stand, link }, `${queue}-again`)

      const { books } = await stand.evidence()
      const { hold, ...others } = totals(books.accounts)
      expect(others).toEqual(counts)
      expect(hold).toBeGreaterThan(0)
      expect(imbalances(books)).toEqual([])
      const unsettled = mode === 'completed' ? 1 : 0
      expect(stand.journal.read().filter(({ event }) => event === 'done')).toHaveLength(
        counts.executed + unsettled,
      )
    } finally {
      await releaseAll(releases)
    }
  })
})

/** Resolves when so many messages have come to their end. */
async function settled(stand: Stand, messages: number): Promise<void> {
  const ended = () => {
    const { endings } = accountOf('', stand.log())
    const final = endings.filter(({ outcome }) => outcome !== 'retry' && outcome !== 'hold')
    return final.filter(({ how }) => how === 'counted').length === messages
  }
  await eventually(`${messages} messages are settled`, ended)
}

/** It is held, or with `dispatched` put back, at least once: a probe that takes longer than a second is put back, too. */
async function meetNoScript(stand: Stand, id: string): Promise<void> {
  const bringBack = await takeAway(stand.worker.script)
  await stand.publish(id, { ms: 5 })
  await stand.daemon.waitForLine(HOLDING)
  await bringBack()
  await stand.daemon.waitForLine(HOLD_OVER)
}

/** Its request lies in a socket while the session ends; then it is executed, and the broker delivers it again after that. */
async function loseSession({ stand, link }: { stand: Stand; link: FaultProxy }, id: string): Promise<void> {
  const { daemon, pool, journal } = stand
  signalChildren(pool.masterPid, 'SIGSTOP')
  try {
    await stand.publish(id, { ms: 5 })
    await daemon.waitForLine(
      ({ message, message_id: messageId }) => message === 'Dispatched.' && messageId === id,
    )
    await link.refuse()
    link.reset()
    await daemon.waitForLine('The session with the broker has ended')
  } finally {
    signalChildren(pool.masterPid, 'SIGCONT')
  }
  await daemon.waitForLine('Executed, but its session has ended')
  await link.heal()
  const done = () => journal.read().filter((line) => line.id === id && line.event === 'done')
  await eventually('it is executed again', () => done().length === 2)
}
