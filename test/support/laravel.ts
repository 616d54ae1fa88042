import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test as base, testScript } from './fixtures.ts'
import { installedProgram } from './installed.mjs'
import { laravelApplication } from './laravel-application.ts'
import type { Pool } from './pool.ts'
import type { PoolOptions } from './pool-configuration.ts'
import { removeFolder, temporaryFolder } from './run-folder.ts'

/** What a job does at each attempt: see test/support/php/laravel/Step.php. */
export interface JobSpec {
  readonly class?: 'Step' | 'EncryptedStep' | 'UniqueStep' | 'LoneStep'
  readonly name: string
  readonly does?: readonly string[]
  /** Its properties, such as `{ tries: 3, backoff: [1, 5] }`. */
  readonly set?: Readonly<Record<string, unknown>>
  readonly chain?: readonly JobSpec[]
}

/** A line that the application wrote: an event of Laravel, a job that ran, a failed() that was called, a report. */
export interface Note {
  readonly event: string
  readonly name?: string
  readonly attempt?: number
  readonly error?: string
}

export interface FailedJob {
  readonly connection: string
  readonly queue: string
  readonly payload: string
  readonly exception: string
}

/** An application of Laravel with a queue and failed jobs, the front controller in its root, and a pool that runs it. */
export interface Laravel {
  readonly pool: Pool
  /** What `--script` takes. */
  readonly script: string
  /** Has Laravel make the payloads and publish them to the test's queue; resolves with how many were. */
  dispatch(...jobs: JobSpec[]): Promise<number>
  notes(): Note[]
  failedJobs(): Promise<FailedJob[]>
  /** `artisan queue:retry all` */
  retryFailed(): Promise<void>
  /** Takes the lock of the class LoneStep, as if a job of that name were running. */
  lock(name: string): Promise<boolean>
}

interface LaravelFixtures {
  laravel: (options?: PoolOptions) => Promise<Laravel>
}

/** Of the daemon: many messages in one request, and one request at a time. */
export const MANY = ['--messages-per-request', '100', '--concurrency', '1', '--request-lifetime', '1m']

/** Extensions that illuminate/queue and illuminate/database need, and that Debian does not build into PHP. */
const EXTENSIONS = ['pdo', 'pdo_sqlite', 'mbstring']

/** The same for the commands of Laravel 10, which print what they do by way of HTML. */
const COMMAND_EXTENSIONS = [...EXTENSIONS, 'dom']

/** What classes of an older Laravel say on a newer PHP, at every request. */
const NOTICE = "trigger_error('Return type should be compatible', E_USER_DEPRECATED);"

export const test = base.extend<LaravelFixtures>({
  laravel: async ({ broker, queue, ownPool }, use) => {
    const folder = temporaryFolder('laravel')
    const own = { APP_FOLDER: folder, BROKER_URL: broker.url, QUEUE: queue }
    const run = (environment: Readonly<Record<string, string>>, ...args: string[]) => {
      const extensions = COMMAND_EXTENSIONS.flatMap((name) => ['-d', `extension=${name}`])
      const script = testScript('laravel/artisan.php')
      const command = ['-n', '-d', 'display_errors=stderr', ...extensions, script, ...args]
      return promisify(execFile)(installedProgram('php'), command, { env: environment })
    }
    const sources = { autoload: testScript('laravel/autoload.php'), app: testScript('laravel/app.php') }
    const script = laravelApplication(folder, sources, NOTICE)
    writeFileSync(join(folder, 'failed.sqlite'), '')
    await run(own, 'migrate')

    const pools: Pool[] = []
    await use(async ({ environment = {}, ...options } = {}) => {
      const all = { ...own, ...environment }
      const pool = await ownPool({ ...options, extensions: EXTENSIONS, environment: all })
      pools.push(pool)
      const artisan = async (...args: string[]) => JSON.parse((await run(all, ...args)).stdout)
      return {
        pool,
        script,
        dispatch: (...jobs) => artisan('dispatch', JSON.stringify(jobs)),
        notes() {
          const path = join(folder, 'notes')
          if (!existsSync(path)) return []
          const lines = readFileSync(path, 'utf8').trim().split('\n')
          return lines.map((line) => JSON.parse(line) as Note)
        },
        failedJobs: () => artisan('failed'),
        retryFailed: () => artisan('retry'),
        lock: (name) => artisan('lock', name),
      }
    })
    // A last job may be writing to the folder.
    for (const pool of pools) await pool.close()
    removeFolder(folder)
  },
})
