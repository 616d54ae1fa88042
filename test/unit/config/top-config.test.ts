import { expect, it } from 'vitest'
import { type Given, refusal, top } from '../../support/given.ts'

it('sees the fleet by way of the broker, or of one address', () => {
  expect(top()).toMatchObject({ source: { kind: 'broker' }, queue: undefined, once: false })
  expect(top({ queue: 'mails', once: 'true' })).toMatchObject({ queue: 'mails', once: true })
  expect(top({ admin: '/run/admin.sock' }).source).toEqual({
    kind: 'admin',
    address: { kind: 'unix', path: '/run/admin.sock' },
    token: undefined,
  })
})

it.each<[Given, string]>([
  [{ admin: '127.0.0.1:1', queue: 'mails' }, '--queue cannot be given together with --admin'],
  [{ 'admin-token-file': '/x' }, '--admin-token-file needs --admin'],
  [{ admin: '127.0.0.1:1', 'admin-token-file': '/x' }, '--admin-token-file names a file that does not exist'],
  [{ admin: 'nowhere' }, '--admin must be host:port'],
])('refuses %j', (given, complaint) => {
  const [message, exitCode] = refusal(() => top(given))
  expect(message).toContain(complaint)
  expect(exitCode).toBe(64)
})
