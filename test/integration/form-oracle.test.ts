import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { encodeForm, UnprocessableError } from '../../src/bridge/form.ts'
import { installedProgram } from '../support/installed.mjs'
import { DOCUMENTS } from './form-documents.ts'

/*
 * The form encoder has no specification but PHP. This asks PHP itself, in one process for all documents, without any
 * php.ini: precision is 14 by default.
 */

/** Reads base64 lines of JSON; writes base64 of the form, or an empty line for what cannot be one. */
const ORACLE = `
  while (($line = fgets(STDIN)) !== false) {
    $data = json_decode(base64_decode($line), true);
    if (is_array($data)) { $data['daemonId'] = 'D-1'; echo base64_encode(http_build_query($data)); }
    echo "\\n";
  }
`

const REFUSED = 'refused'

function askPhp(documents: readonly Buffer[]): string[] {
  const input = documents.map((document) => document.toString('base64')).join('\n')
  const output = execFileSync(installedProgram('php'), ['-n', '-d', 'memory_limit=1G', '-r', ORACLE], {
    input: `${input}\n`,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  const lines = output.split('\n').slice(0, -1)
  return lines.map((line) => (line === '' ? REFUSED : Buffer.from(line, 'base64').toString('latin1')))
}

function ours(document: Buffer): string {
  try {
    return encodeForm(document, ['daemonId', 'D-1']).toString('latin1')
  } catch (error) {
    if (error instanceof UnprocessableError) return REFUSED
    throw error
  }
}

/** A text as it is, or bytes. */
const document = (given: string | readonly number[]) =>
  typeof given === 'string' ? Buffer.from(given) : Buffer.from(given)

const shown = (bytes: Buffer) => {
  const text = JSON.stringify(bytes.toString('latin1'))
  return text.length > 100 ? `${text.slice(0, 100)}... (${bytes.length} bytes)` : text
}

describe('the form is what PHP makes of the same bytes', () => {
  const documents = DOCUMENTS.map(document)
  const answers = askPhp(documents)

  it('PHP answers each document', () => {
    expect(answers).toHaveLength(documents.length)
  })

  it.each(documents.map((bytes, index) => ({ name: shown(bytes), bytes, php: answers[index] })))(
    '$name',
    ({ bytes, php }) => {
      expect(ours(bytes)).toBe(php)
    },
  )

  it('for 20,000 floats of all magnitudes', () => {
    // A fixed sequence (Park and Miller): a failure can be repeated.
    let seed = 20_240_229
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const float = () => {
      const digits = String(Math.floor(random() * 1e17)).slice(0, 1 + Math.floor(random() * 17))
      return `${random() < 0.5 ? '-' : ''}${digits}.${Math.floor(random() * 1000)}e${Math.floor(random() * 60) - 30}`
    }
    // Halves at the fifteenth digit: what rounding is about.
    const half = () => `${Math.floor(random() * 9e12) + 1e12}.${random() < 0.5 ? '25' : '75'}`
    const body = document(
      `[${Array.from({ length: 20_000 }, (_, index) => (index % 4 === 0 ? half() : float()))}]`,
    )
    expect(ours(body)).toBe(askPhp([body])[0])
  })
})
