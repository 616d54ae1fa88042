import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Given, refusal, wholeRun } from '../../support/given.ts'
import { temporaryFolder } from '../../support/run-folder.ts'

const folder = temporaryFolder('token')

/** A file with this in it. */
function fileWith(text: string): string {
  const path = join(folder, `file-${Math.random()}`)
  writeFileSync(path, text)
  return path
}

const adminOf = (given: Given) => wholeRun(given).process.admin
const refused = (given: Given) => refusal(() => adminOf(given))[0]

describe('--admin', () => {
  it('is off by default', () => {
    expect(adminOf({})).toBeUndefined()
  })

  it.each([
    ['/run/admin.sock', { kind: 'unix', path: '/run/admin.sock' }],
    ['127.0.0.1:9180', { kind: 'tcp', host: '127.0.0.1', port: 9180 }],
    ['127.8.9.1:9180', { kind: 'tcp', host: '127.8.9.1', port: 9180 }],
    ['localhost:9180', { kind: 'tcp', host: 'localhost', port: 9180 }],
    ['[::1]:9180', { kind: 'tcp', host: '::1', port: 9180 }],
  ])('may be %s as it is', (admin, address) => {
    expect(adminOf({ admin })).toEqual({ address, token: undefined, anyHost: address.kind === 'unix' })
  })

  it('may be asked for under any name with a token, or where it is open', () => {
    const admin = '127.0.0.1:9180'
    expect(adminOf({ admin, 'admin-open': 'true' })?.anyHost).toBe(true)
    expect(adminOf({ admin, 'admin-token-file': fileWith('0123456789abcdef') })?.anyHost).toBe(true)
  })

  it.each(['0.0.0.0:9180', '[::]:9180', '10.0.0.1:9180', 'localhost.example:9180', '127.0.0.1.example:9180'])(
    'is not open to other machines by mistake: %s',
    (admin) => {
      expect(refused({ admin })).toMatch(
        /^--admin can be reached from other machines: give --admin-token-file/,
      )
      expect(adminOf({ admin, 'admin-open': 'true' })?.token).toBeUndefined()
      expect(adminOf({ admin, 'admin-token-file': fileWith('0123456789abcdef\n') })?.token).toBe(
        '0123456789abcdef',
      )
    },
  )

  it.each(['9180', 'admin.sock', ':9180', '127.0.0.1:0', '127.0.0.1:65536', 'http://127.0.0.1:9180', ''])(
    'is no address: %j',
    (admin) => {
      expect(refused({ admin })).toMatch(/^--admin must be host:port, or the absolute path of a Unix socket/)
    },
  )
})

describe('--admin-token-file', () => {
  const admin = '127.0.0.1:9180'

  it.each([
    ['too short', '0123456789abcde'],
    ['empty', ''],
    ['two words', '0123456789 abcdef'],
    ['two lines', '0123456789abcdef\n0123456789abcdef'],
    ['no ASCII', '0123456789abcdéf0'],
    ['too long', 'x'.repeat(1_025)],
  ])('whose content is %s is refused, and not repeated', (_, text) => {
    const complaint = refused({ admin, 'admin-token-file': fileWith(text) })
    expect(complaint).toBe(
      '--admin-token-file names a file that has no token of 16 to 1024 visible ASCII characters',
    )
  })

  it.each([
    ['0123456789abcdef-the-token-itself', 'does not exist'],
    ['/dev/zero', 'is a pipe, a socket or a device'],
    [folder, 'is a directory'],
  ])('that is %s is refused, and not repeated', (path, why) => {
    expect(refused({ admin, 'admin-token-file': path })).toBe(`--admin-token-file names a file that ${why}`)
  })

  it('is not beside --admin-open, and neither is without --admin', () => {
    const file = fileWith('0123456789abcdef')
    expect(refused({ admin, 'admin-open': 'true', 'admin-token-file': file })).toBe(
      '--admin-open contradicts --admin-token-file; keep one',
    )
    expect(refused({ 'admin-open': 'true' })).toBe('--admin-open needs --admin')
    expect(refused({ 'admin-token-file': file })).toBe('--admin-token-file needs --admin')
  })
})
