import { createInterface } from 'node:readline'
import { testScript } from './fixtures.ts'
import { installedProgram } from './installed.mjs'
import { spawnOwned } from './owned-process.ts'

export interface PublishResult {
  /** The message id. */
  readonly id: string
  /** The exception's class, without its namespace. */
  readonly error?: string
  readonly message?: string
}

export interface PhpPublisher {
  /** @param args the named arguments of Publisher::publish() */
  publish(args: {
    payload: unknown
    properties?: Record<string, string | number>
    headers?: Record<string, unknown>
  }): Promise<PublishResult>
  /** Ends it, with a goodbye to the broker; kills it when that fails. Resolves with its stderr. */
  close(): Promise<string>
}

/**
 * Starts a PHP process with a Publisher of worker-php, which it keeps.
 *
 * @param args the named arguments of Publisher's constructor
 * @param environment of the process, beside PATH
 */
export async function startPublisher(
  args: Record<string, unknown>,
  environment: Readonly<Record<string, string>> = {},
): Promise<PhpPublisher> {
  const owned = await spawnOwned(
    installedProgram('php'),
    ['-d', 'display_errors=stderr', testScript('publish.php'), JSON.stringify(args)],
    { env: { PATH: process.env['PATH'], ...environment }, stdio: ['pipe', 'pipe', 'pipe'] },
  )
  const { stdin, stdout, stderr } = owned.child
  if (stdin === null || stdout === null || stderr === null) throw new Error('The publisher has no pipes.')
  let errors = ''
  stderr.on('data', (chunk) => {
    errors += String(chunk)
  })
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  return {
    async publish(message) {
      stdin.write(`${JSON.stringify(message)}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`The publisher has ended:\n${errors}`)
      return JSON.parse(value) as PublishResult
    },
    async close() {
      stdin.end()
      await owned.exited
      await owned.kill()
      return errors
    },
  }
}
