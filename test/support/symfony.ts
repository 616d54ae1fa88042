import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Broker } from './broker-api.ts'
import { installedProgram } from './installed.mjs'

/* Applications of Symfony Messenger: test/support/php/symfony has their classes. */

const repository = fileURLToPath(new URL('../..', import.meta.url))
export const symfonyFolder = fileURLToPath(new URL('php/symfony', import.meta.url))

/** What Symfony needs and Debian does not build into PHP. */
export const SYMFONY_EXTENSIONS = ['ctype', 'dom', 'mbstring', 'tokenizer']

export type SerializerName = 'php' | 'json'

export interface OutgoingMessage {
  /** What the handler is to do; see TaskHandler.php. */
  readonly do: string
  /** Default none. */
  readonly bytes?: Buffer
  /** Default `App\Task`. */
  readonly class?: string
  /** Milliseconds of a DelayStamp; default none. */
  readonly delay?: number
}

const runProgram = promisify(execFile)

async function runPhp(script: string, argument: unknown, environment: Record<string, string> = {}) {
  const extensions = ['amqp', ...SYMFONY_EXTENSIONS].flatMap((name) => ['-d', `extension=${name}`])
  const args = ['-n', ...extensions, join(symfonyFolder, script), JSON.stringify(argument)]
  await runProgram(installedProgram('php'), args, { env: environment, timeout: 20_000 })
}

/** The transport of a queue: its exchange and its delays are named after it, so that they go when the queue goes. */
function transport(broker: Broker, queue: string) {
  return {
    dsn: `${broker.url}/%2f/${queue}`,
    options: {
      queues: { [queue]: {} },
      delay: { exchange_name: `${queue}.delays`, queue_name_pattern: `${queue}.delay.%delay%` },
    },
  }
}

/** Sends messages through the transport and the serializer of Symfony itself. */
export async function sendMessages(
  broker: Broker,
  queue: string,
  serializer: SerializerName,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  const whole = messages.map(({ bytes, ...message }) => ({
    class: 'App\\Task',
    delay: 0,
    ...message,
    bytes: bytes?.toString('hex') ?? '',
  }))
  await runPhp('send.php', { ...transport(broker, queue), serializer, messages: whole })
}

/** Takes one message as Symfony's receiver does; what its serializer was given is noted under `cli`. */
export async function receiveMessage(broker: Broker, queue: string, notes: string): Promise<void> {
  await runPhp('spy.php', transport(broker, queue), { NOTES: notes })
}

/** Deletes the exchanges whose names begin with the queue's: they stay when queues are deleted. */
export async function deleteExchanges(broker: Broker, queue: string): Promise<void> {
  const exchanges = await broker.api<{ name: string }[]>('GET', '/exchanges/%2F?columns=name')
  for (const { name } of exchanges) {
    if (name.startsWith(queue)) await broker.api('DELETE', `/exchanges/%2F/${name}`)
  }
}

/** The notes of test/support/php/symfony/src/Notes.php, oldest first. */
export function readNotes<T = Record<string, unknown>>(folder: string, name: string): T[] {
  const path = join(folder, name)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  // The last line may be on its way.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as T)
}

/**
 * Makes an application of the framework as docs/symfony.md says: with the front controller of worker-php and the services
 * of that page.
 *
 * @param folder of the caller's own; it may have some of it
 * @param options whether the failure transport is in use, by the line that the page leaves out; and whether each message has a
 *   container of its own
 * @param autoload loads the packages, and the application's classes
 * @returns what `--script` takes
 */
export function frameworkApplication(
  folder: string,
  options: { readonly failureTransport: boolean; readonly freshContainer: boolean },
  autoload = join(symfonyFolder, 'autoload.php'),
): string {
  for (const name of ['bin', 'config', 'vendor']) mkdirSync(join(folder, name), { recursive: true })
  const page = readFileSync(join(repository, 'docs/symfony.md'), 'utf8')
  const services = /```yaml\n# config\/services\.yaml\n(.*?)```/s.exec(page)?.[1] ?? ''
  const withFailures = services.replace(/^( *)# (\$failureTransport:.*)$/m, '$1$2')
  writeFileSync(join(folder, 'config/services.yaml'), options.failureTransport ? withFailures : services)
  writeFileSync(join(folder, 'vendor/autoload.php'), `<?php require ${JSON.stringify(autoload)};\n`)
  const script = join(folder, 'bin/messenger.php')
  const controller = readFileSync(join(repository, 'worker-php/symfony/messenger.php'), 'utf8')
  writeFileSync(
    script,
    options.freshContainer ? controller.replace('freshContainer: false', 'freshContainer: true') : controller,
  )
  return script
}
