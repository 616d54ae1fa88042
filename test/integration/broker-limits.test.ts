import { describe, expect } from 'vitest'
import { type Fixtures, test } from '../support/fixtures.ts'

/*
 * What a broker refuses for now, at a daemon's start: it is waited for, and said as the broker says it. Each test has a user and a
 * vhost of its own.
 */

const ALL = { configure: '.*', write: '.*', read: '.*' }

async function daemonIn({ broker, queue, startDaemon }: Pick<Fixtures, 'broker' | 'queue' | 'startDaemon'>) {
  await broker.api('PUT', `/vhosts/${queue}`)
  await broker.api('PUT', `/users/${queue}`, { password: 's3cret', tags: '' })
  await broker.api('PUT', `/permissions/${queue}/${queue}`, ALL)
  const url = `${broker.url.replace('guest:guest', `${queue}:s3cret`)}/${queue}`
  return {
    start: () => startDaemon({ url }),
    async remove() {
      await broker.api('DELETE', `/users/${queue}`)
      await broker.api('DELETE', `/vhosts/${queue}`)
    },
  }
}

describe.concurrent('at the start', () => {
  for (const [what, limit, says] of [
    [
      "a vhost's limit of connections",
      'vhost-limits max-connections',
      /connection limit \(0\) is reached; close/,
    ],
    [
      "a vhost's limit of queues",
      'vhost-limits max-queues',
      /queue limit in vhost '.*' \(0\) is reached; delete/,
    ],
    [
      "a user's limit of connections",
      'user-limits max-connections',
      /user connection limit \(0\) is reached; close/,
    ],
    ["a user's limit of channels", 'user-limits max-channels', /maximum allowed user limit of \(0\); close/],
  ] as const) {
    test(`${what} is waited for`, async ({ broker, queue, startDaemon }) => {
      const { start, remove } = await daemonIn({ broker, queue, startDaemon })
      const [kind, name] = limit.split(' ')
      try {
        await broker.api('PUT', `/${kind}/${queue}/${name}`, { value: 0 })
        const daemon = await start()
        const { reason } = await daemon.waitForLine('Not consuming; trying again until it works.')
        expect(reason).toMatch(says)
        await broker.api('DELETE', `/${kind}/${queue}/${name}`)
        await daemon.waitForLine('Consuming.')
      } finally {
        await remove()
      }
    })
  }

  test('a vhost that is down is waited for', async ({ broker, queue, startDaemon }) => {
    const { start, remove } = await daemonIn({ broker, queue, startDaemon })
    try {
      await broker.evaluate(`rabbit_vhost_sup_sup:stop_and_delete_vhost(<<"${queue}">>).`)
      const daemon = await start()
      const { reason } = await daemon.waitForLine('Not consuming; trying again until it works.')
      expect(reason).toMatch(/vhost '.*' is down; rabbitmqctl restart_vhost/)
      await broker.ctl('restart_vhost', '--vhost', queue)
      await daemon.waitForLine('Consuming.')
    } finally {
      await remove()
    }
  })

  test('a vhost without the right to enter is not', async ({ broker, queue, startDaemon }) => {
    const { start, remove } = await daemonIn({ broker, queue, startDaemon })
    try {
      await broker.api('DELETE', `/permissions/${queue}/${queue}`)
      const daemon = await start()
      expect(await daemon.exited).toMatchObject({ code: 78 })
      expect(daemon.log.at(-1)).toMatchObject({
        code: 'VHOST_REFUSED',
        reason: expect.stringContaining('rabbitmqctl set_permissions'),
      })
    } finally {
      await remove()
    }
  })
})
