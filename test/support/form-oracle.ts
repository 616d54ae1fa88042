import { createInterface } from 'node:readline'
import { encodeForm } from '../../src/payload/form.ts'
import { UnprocessableError } from '../../src/payload/unprocessable.ts'
import { installedProgram } from './installed.mjs'
import { spawnOwned } from './owned-process.ts'

/** What both sides answer to a document that cannot become a form. */
export const REFUSED = 'refused'

/** Reads base64 lines of JSON; writes base64 of the form, or an empty line for what json_decode makes no array of. */
const PROGRAM = `
  while (($line = fgets(STDIN)) !== false) {
    $data = json_decode(base64_decode($line), true);
    if (is_array($data)) { $data['daemonId'] = 'D-1'; echo base64_encode(http_build_query($data)); }
    echo "\\n";
  }
`

/** PHP, in one process for all documents, without any php.ini: precision is 14 by default. */
export interface FormOracle {
  /** @returns the form, a character for each byte, or REFUSED */
  ask(document: Buffer): Promise<string>
  close(): Promise<void>
}

export async function startFormOracle(): Promise<FormOracle> {
  const owned = await spawnOwned(
    installedProgram('php'),
    ['-n', '-d', 'memory_limit=1G', '-d', 'display_errors=stderr', '-r', PROGRAM],
    { env: { PATH: process.env['PATH'] }, stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const { stdin, stdout } = owned.child
  if (stdin === null || stdout === null) throw new Error('PHP has no standard input or output')
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    async ask(document) {
      stdin.write(`${document.toString('base64')}\n`)
      const { value, done } = await answers.next()
      if (done) throw new Error('PHP has ended')
      return value === '' ? REFUSED : Buffer.from(value, 'base64').toString('latin1')
    },
    close: () => owned.kill(),
  }
}

/** Our answer to the question that PHP is asked. */
export async function encodedByUs(document: Buffer): Promise<string> {
  try {
    return (await encodeForm(document, ['daemonId', 'D-1'])).toString('latin1')
  } catch (error) {
    return error instanceof UnprocessableError ? REFUSED : `fault: ${String(error)}`
  }
}
