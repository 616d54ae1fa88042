import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OwnBroker, startBroker } from '../support/broker.ts'
import { type Pool, startPool } from '../support/pool.ts'
import type { Releases } from '../support/releases.ts'
import type { Journal } from './journal.ts'
import { installWorker } from './worker.ts'

/** The durable queue that all of it is about. */
export const QUEUE = 'commands'
export const DEAD_LETTER_QUEUE = `${QUEUE}.dead`
/** What the daemons' retry queues begin with. */
export const RETRY_PREFIX = `${QUEUE}.retry.`

/** The user of the daemons, and the password: whatever publishes is somebody else. */
export const DAEMON_USER = 'bridge'

/** Fewer than the daemons have in flight together, so that some wait in the backlog when it matters. */
export const CHILDREN = 8

/** Seconds: longer than what any message asks for, except one that hangs. */
export const EXECUTION_LIMIT = 5

/** Seconds that a reloaded or stopped pool waits for what its children are at. */
const GRACE = 10

/** The private services, and the worker with its journal. */
export interface Stage {
  readonly broker: OwnBroker
  readonly pool: Pool
  /** The worker script; it may be away for a while. */
  readonly script: string
  /** What the worker script loads first; the same. */
  readonly application: string
  readonly journal: Journal
  /** What the daemons' user may do. */
  setPermissions(permissions: 'none' | 'all'): Promise<void>
  /** Has the pool's master read another process_control_timeout when it is reloaded or started next. */
  setGrace(grace: 'none' | 'usual'): void
}

/**
 * @param releases gets what takes each thing down, as soon as it is there
 * @param many whether a request carries many messages
 * @throws when broker or pool do not start
 */
export async function openStage(releases: Releases, many = false): Promise<Stage> {
  const { script, application, journal, environment } = installWorker(many)
  releases.push(() => journal.close())
  const pool = await startPool({
    children: CHILDREN,
    environment,
    // Children come and go all the time, as they do in production: no fault, and nothing may come of it.
    settings: { request_terminate_timeout: `${EXECUTION_LIMIT}s`, 'pm.max_requests': 100 },
    global: { process_control_timeout: `${GRACE}s` },
  })
  releases.push(() => pool.close())
  const broker = await startBroker()
  releases.push(() => broker.close())

  await broker.api('PUT', `/users/${DAEMON_USER}`, { password: DAEMON_USER, tags: '' })
  async function setPermissions(permissions: 'none' | 'all'): Promise<void> {
    const names = permissions === 'all' ? '.*' : '^$'
    const body = { configure: names, write: names, read: names }
    await broker.api('PUT', `/permissions/%2F/${DAEMON_USER}`, body)
  }
  await setPermissions('all')
  await broker.flush()

  const configuration = join(pool.directory, 'php-fpm.conf')
  return {
    broker,
    pool,
    script,
    application,
    journal,
    setPermissions,
    setGrace(grace) {
      const seconds = grace === 'none' ? 0 : GRACE
      const text = readFileSync(configuration, 'utf8')
      writeFileSync(
        configuration,
        text.replace(/^process_control_timeout = .*$/m, `process_control_timeout = ${seconds}s`),
      )
    },
  }
}
