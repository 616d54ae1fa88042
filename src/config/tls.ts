import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { TlsOptions } from '../amqp/tls.ts'
import { allOf } from './option-error.ts'
import { anyText } from './parse.ts'
import type { OptionReader } from './reader.ts'
import { readSmallFile } from './small-file.ts'
import { flag } from './values.ts'

/**
 * Reads --tls-ca, --tls-cert, --tls-key and --tls-insecure, and the files they name. Whatever would make each handshake
 * fail with a riddle is found here.
 *
 * @throws {OptionError} naming option and file, and nothing of what the file holds
 */
export function readTls(read: OptionReader): TlsOptions {
  const { ca, cert, key, insecure } = allOf({
    ca: () => readPem(read, 'tls-ca', readCertificates),
    cert: () => readPem(read, 'tls-cert', readCertificates),
    key: () => readPem(read, 'tls-key', readKey),
    insecure: () => read.value('tls-insecure', flag),
  })
  if (cert !== undefined && key === undefined) read.refuse('tls-cert', 'needs --tls-key')
  if (key !== undefined && cert === undefined) read.refuse('tls-key', 'needs --tls-cert')
  // The client's own certificate is the first one (RFC 8446, section 4.4.2).
  if (cert !== undefined && key !== undefined && !cert.content[0]?.checkPrivateKey(key.content))
    read.refuse('tls-key', `names ${key.path}, which does not match the certificate in ${cert.path}`)
  return Object.freeze({ ca: ca?.text, cert: cert?.text, key: key?.text, insecure })
}

/** @throws {OptionError} when anything is set; to be called when no broker is spoken to by TLS */
export function refuseTls(read: OptionReader, { ca, cert, insecure }: TlsOptions): void {
  const [name] = [ca && 'tls-ca', cert && 'tls-cert', insecure && 'tls-insecure'].filter((set) => !!set)
  if (name) read.refuse(name, 'needs a --url that begins with amqps://')
}

interface Pem<T> {
  /** As messages have it. */
  readonly path: string
  readonly text: string
  readonly content: T
}

function readPem<T>(read: OptionReader, name: string, parse: (text: string) => T): Pem<T> | undefined {
  const given = read.optional(name, anyText)
  if (given === undefined) return undefined
  // Somebody will put the key itself there, as it is or in Base64.
  if (given === '' || /\p{Cc}|-----BEGIN|LS0tLS1CRUdJTi/u.test(given))
    read.refuse(name, 'must be the path of a PEM file')
  const path = JSON.stringify(given)
  try {
    const text = readSmallFile(given).toString()
    return { path, text, content: parse(text) }
  } catch (error) {
    return read.refuse(name, `names ${path}, which ${(error as Error).message}`)
  }
}

function readCertificates(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs)
  if (blocks === null) throw new Error('holds no certificate in PEM (-----BEGIN CERTIFICATE-----)')
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw new Error('holds a certificate that is malformed', { cause })
    }
  })
}

function readKey(text: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new Error('holds no private key in PEM (-----BEGIN PRIVATE KEY-----)')
  // PKCS #8, and the older format of OpenSSL.
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text))
    throw new Error(
      'is encrypted, and nobody is there to type its passphrase; decrypt it: openssl pkey -in IN -out OUT',
    )
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw new Error('holds a private key that is malformed', { cause })
  }
}
