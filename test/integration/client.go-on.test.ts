import { expect } from 'vitest'
import { test } from '../support/fixtures.ts'
import { behave, nativeClient } from '../support/pool-client.ts'

/* php-fpm, and scripts that go on after fastcgi_finish_request(). */

test('no message waits behind a script that goes on', async ({ ownPool }) => {
  const client = nativeClient(await ownPool({ children: 8 }), { probation: 2 })
  const childOf = async (action: string, value = 0) =>
    Number((await behave(client, action, value)).body.toString())
  const busy: number[] = []
  for (let turn = 0; turn < 4; turn += 1) busy.push(await childOf('go on', 5_000))
  expect(busy).not.toContain(await childOf('pid'))
  expect(new Set(busy).size).toBe(4)
  client.close()
})
