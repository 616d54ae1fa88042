import { expect } from 'vitest'
import { test } from '../support/fixtures.ts'

/* What the log says of the pool at the start. */

const TOO_FEW =
  'The pool has fewer children than --concurrency: the other requests wait in its backlog, and their --timeout runs.'

test('a static pool with fewer children than --concurrency is warned of', async ({
  ownPool,
  startDaemon,
}) => {
  const { socket } = await ownPool({ children: 2 })
  const daemon = await startDaemon({ socket, args: ['--concurrency', '3'] })
  expect(await daemon.waitForLine('The pool.')).toMatchObject({ kind: 'static', children: 2, ping: true })
  expect(await daemon.waitForLine(TOO_FEW)).toMatchObject({ level: 'warn', children: 2, concurrency: 3 })
})

test('one with as many is not, nor one that may yet fork', async ({ ownPool, startDaemon }) => {
  for (const pm of ['static', 'ondemand'] as const) {
    const { socket } = await ownPool({ children: 3, pm })
    const daemon = await startDaemon({ socket, args: ['--concurrency', '3'] })
    await daemon.waitForLine('The pool.')
    daemon.signal('SIGTERM')
    await daemon.exited
    expect(daemon.log.map(({ message }) => message)).not.toContain(TOO_FEW)
  }
})

test('a pool without a status page is one of which nothing is known', async ({ ownPool, startDaemon }) => {
  const { socket } = await ownPool()
  const daemon = await startDaemon({
    socket,
    args: ['--status-path', '/no-such-page', '--ping-path', '/nor-this'],
  })
  expect(
    await daemon.waitForLine(
      'The pool shows no status page (pm.status_path): of what kind it is, is not known.',
    ),
  ).toMatchObject({ level: 'info', status_path: '/no-such-page', ping: false })
})
