import { join } from 'node:path'
import type { BridgeProcess } from './bridge-process.ts'
import { test as base } from './fixtures.ts'
import { removeFolder, temporaryFolder } from './run-folder.ts'
import {
  deleteExchanges,
  frameworkApplication,
  type OutgoingMessage,
  type SerializerName,
  SYMFONY_EXTENSIONS,
  sendMessages,
  symfonyFolder,
} from './symfony.ts'

export interface ApplicationSettings {
  readonly environment?: Readonly<Record<string, string>>
  readonly ini?: Readonly<Record<string, string>>
  /** `--payload`; default raw. */
  readonly payload?: 'raw' | 'form'
  /** More of the daemon's, over the two attempts. */
  readonly args?: readonly string[]
  /** Of the pool; default 4. */
  readonly children?: number
}

export interface SymfonyFixtures {
  /** The folder of the application's notes. */
  notes: string
  /** Sends messages by the transport of the test's queue. */
  send: (serializer: SerializerName, messages: readonly OutgoingMessage[]) => Promise<void>
  /** Starts a pool and a daemon, with two attempts, for a script of test/support/php/symfony or another's whole path. */
  consume: (script: string, settings?: ApplicationSettings) => Promise<BridgeProcess>
  /** Makes an application of the framework; returns its script. */
  framework: (failureTransport: boolean, freshContainer?: boolean) => string
}

/** Of the daemon: many messages in one request, and one request at a time. */
export const MANY = ['--messages-per-request', '100', '--concurrency', '1', '--request-lifetime', '1m']

const DELAYS = ['--retry-delay', '10ms', '--retry-max-delay', '20ms']
const COMPLETED = ['--ack', 'completed', '--require-marker', '--max-attempts', '2', ...DELAYS]

export const test = base.extend<SymfonyFixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which fixtures this one needs.
  notes: async ({}, use) => {
    const folder = temporaryFolder('notes')
    await use(folder)
    removeFolder(folder)
  },

  send: async ({ broker, queue }, use) => {
    await use((serializer, messages) => sendMessages(broker, queue, serializer, messages))
    await deleteExchanges(broker, queue)
  },

  consume: async ({ notes, ownPool, startDaemon }, use) => {
    await use(async (script, settings = {}) => {
      const { environment = {}, ini = {}, payload = 'raw', args = [], children = 4 } = settings
      const pool = await ownPool({
        children,
        environment: { ...environment, NOTES: notes },
        ini,
        extensions: SYMFONY_EXTENSIONS,
      })
      const path = script.startsWith('/') ? script : join(symfonyFolder, script)
      return startDaemon({
        socket: pool.socket,
        script: path,
        args: [...COMPLETED, '--payload', payload, ...args],
      })
    })
  },

  // biome-ignore lint/correctness/noEmptyPattern: see above.
  framework: async ({}, use) => {
    const folder = temporaryFolder('application')
    await use((failureTransport, freshContainer = false) =>
      frameworkApplication(folder, { failureTransport, freshContainer }),
    )
    removeFolder(folder)
  },
})
