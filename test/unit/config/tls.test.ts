import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OptionError } from '../../../src/config/option-error.ts'
import { OptionReader, type RawOption } from '../../../src/config/reader.ts'
import { readTls } from '../../../src/config/tls.ts'
import { createAuthority } from '../../support/certificates.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-tls-'))
const at = (name: string) => join(folder, name)
const textOf = (name: string) => readFileSync(at(name), 'utf8')

beforeAll(() => {
  const authority = createAuthority(folder, 'ca')
  authority.issue('client')
  authority.issue('other')
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  openssl('pkey', '-in', 'ca/client.key', '-aes256', '-passout', 'pass:hunter2', '-out', 'encrypted.key')
  openssl('ec', '-in', 'ca/client.key', '-aes256', '-passout', 'pass:hunter2', '-out', 'older-encrypted.key')
  openssl('ec', '-in', 'ca/client.key', '-out', 'older.key')
  openssl('x509', '-in', 'ca/client.crt', '-outform', 'DER', '-out', 'client.der')
  writeFileSync(at('chain.crt'), `the client\n${textOf('ca/client.crt')}\r\nits CA\n${textOf('ca/ca.crt')}`)
  writeFileSync(at('reversed.crt'), textOf('ca/ca.crt') + textOf('ca/client.crt'))
  writeFileSync(at('empty'), '')
  writeFileSync(at('torn.crt'), textOf('ca/client.crt').replace(/MII.{40}/, 'MII'))
  writeFileSync(at('torn.key'), textOf('ca/client.key').replace(/MI.{20}/, 'MI'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Given = Readonly<Record<string, string>>

const INSECURE: [string, RawOption] = [
  'tls-insecure',
  { values: ['false'], origin: 'default', source: '--tls-insecure' },
]

/** Reads options given by flag, whose values are names within the folder. */
function read(given: Given, origin: 'flag' | 'environment' = 'flag') {
  const options = new Map<string, RawOption>([INSECURE])
  for (const [name, value] of Object.entries(given))
    options.set(name, { values: [at(value)], origin, source: `FPM_BRIDGE_${name}` })
  return readTls(new OptionReader(options))
}

function refusal(of: () => unknown): [message: string, exitCode: number] {
  try {
    of()
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    return [(error as OptionError).message.replaceAll(folder, ''), (error as OptionError).exitCode]
  }
  return ['accepted', 0]
}

const CLIENT = { 'tls-cert': 'ca/client.crt', 'tls-key': 'ca/client.key' }

describe('the files of TLS', () => {
  it('are none by default, and then everything is verified', () => {
    expect(read({})).toEqual({ ca: undefined, cert: undefined, key: undefined, insecure: false })
  })

  it('are read', () => {
    expect(read({ 'tls-ca': 'ca/ca.crt', ...CLIENT })).toEqual({
      ca: textOf('ca/ca.crt'),
      cert: textOf('ca/client.crt'),
      key: textOf('ca/client.key'),
      insecure: false,
    })
  })

  it('may hold several certificates, and words between them', () => {
    expect(read({ ...CLIENT, 'tls-cert': 'chain.crt' }).cert).toBe(textOf('chain.crt'))
    expect(read({ 'tls-ca': 'chain.crt' }).ca).toBe(textOf('chain.crt'))
  })

  it("may hold a key in OpenSSL's older format", () => {
    expect(read({ ...CLIENT, 'tls-key': 'older.key' }).key).toBe(textOf('older.key'))
  })

  it.each<[string, Given, string]>([
    ['a missing CA', { 'tls-ca': 'none' }, '--tls-ca names "/none", which does not exist'],
    [
      'a missing certificate',
      { ...CLIENT, 'tls-cert': 'none' },
      '--tls-cert names "/none", which does not exist',
    ],
    ['a missing key', { ...CLIENT, 'tls-key': 'none' }, '--tls-key names "/none", which does not exist'],
    ['a folder', { 'tls-ca': 'ca' }, '--tls-ca names "/ca", which is a directory'],
    [
      'an empty file',
      { 'tls-ca': 'empty' },
      '--tls-ca names "/empty", which holds no certificate in PEM (-----BEGIN CERTIFICATE-----)',
    ],
    [
      'a certificate in DER',
      { 'tls-ca': 'client.der' },
      '--tls-ca names "/client.der", which holds no certificate in PEM (-----BEGIN CERTIFICATE-----)',
    ],
    [
      'a key for a certificate',
      { ...CLIENT, 'tls-cert': 'ca/client.key' },
      '--tls-cert names "/ca/client.key", which holds no certificate in PEM (-----BEGIN CERTIFICATE-----)',
    ],
    [
      'a certificate for a key',
      { ...CLIENT, 'tls-key': 'ca/client.crt' },
      '--tls-key names "/ca/client.crt", which holds no private key in PEM (-----BEGIN PRIVATE KEY-----)',
    ],
    [
      'a malformed certificate',
      { 'tls-ca': 'torn.crt' },
      '--tls-ca names "/torn.crt", which holds a certificate that is malformed',
    ],
    [
      'a malformed key',
      { ...CLIENT, 'tls-key': 'torn.key' },
      '--tls-key names "/torn.key", which holds a private key that is malformed',
    ],
    [
      'an encrypted key',
      { ...CLIENT, 'tls-key': 'encrypted.key' },
      '--tls-key names "/encrypted.key", which is encrypted, and nobody is there to type its passphrase; decrypt it: openssl pkey -in IN -out OUT',
    ],
    [
      'a key encrypted in the older format',
      { ...CLIENT, 'tls-key': 'older-encrypted.key' },
      '--tls-key names "/older-encrypted.key", which is encrypted, and nobody is there to type its passphrase; decrypt it: openssl pkey -in IN -out OUT',
    ],
    [
      'a key of another certificate',
      { ...CLIENT, 'tls-key': 'ca/other.key' },
      '--tls-key names "/ca/other.key", which does not match the certificate in "/ca/client.crt"',
    ],
    [
      'a chain that begins with the CA',
      { ...CLIENT, 'tls-cert': 'reversed.crt' },
      '--tls-key names "/ca/client.key", which does not match the certificate in "/reversed.crt"',
    ],
    ['a certificate without a key', { 'tls-cert': 'ca/client.crt' }, '--tls-cert needs --tls-key'],
    ['a key without a certificate', { 'tls-key': 'ca/client.key' }, '--tls-key needs --tls-cert'],
  ])('are refused: %s', (_, given, message) => {
    expect(refusal(() => read(given))).toEqual([message, 64])
  })

  it('are refused with the source where they are not from a flag', () => {
    expect(refusal(() => read({ 'tls-ca': 'none' }, 'environment'))).toEqual([
      '--tls-ca (from FPM_BRIDGE_tls-ca) names "/none", which does not exist',
      78,
    ])
  })

  it.each([
    ['as it is', () => textOf('ca/client.key')],
    ['in one line', () => textOf('ca/client.key').replaceAll('\n', ' ')],
    ['in Base64', () => Buffer.from(textOf('ca/client.key')).toString('base64')],
    ['not at all', () => ''],
  ])('are not repeated when somebody gives the key itself, %s', (_, given) => {
    const option: RawOption = { values: [given()], origin: 'flag', source: '--tls-key' }
    const options = new Map([['tls-key', option], INSECURE])
    expect(refusal(() => readTls(new OptionReader(options)))).toEqual([
      '--tls-key must be the path of a PEM file',
      64,
    ])
  })
})
