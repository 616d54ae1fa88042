import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, Hopeless } from './eventually.ts'
import { installedProgram } from './installed.mjs'
import { type OwnedProcess, spawnOwned } from './owned-process.ts'
import { type PoolAddress, type PoolOptions, poolConfiguration } from './pool-configuration.ts'
import { freePorts } from './ports.ts'
import { removeFolder, temporaryFolder } from './run-folder.ts'

/** A pool of our own: the one who started it closes it. */
export interface Pool extends PoolAddress {
  /** The master's process id; undefined while it is not running. */
  readonly masterPid: number | undefined
  /** php-fpm's log so far, with what the children wrote to their stderr. */
  errorLog(): string
  /** SIGUSR2: the master executes itself anew, on the same sockets. Resolves when it is ready. */
  reload(): Promise<void>
  /** SIGQUIT: the children finish what they are at. Resolves when the master has ended. */
  stop(): Promise<void>
  /** SIGKILL to the master and all children. The socket's file stays, as after a crash. */
  kill(): Promise<void>
  /** Starts it again, on the same sockets. */
  start(): Promise<void>
  /** Kills it and removes the folder. Idempotent. */
  close(): Promise<void>
}

const READY = 'ready to handle connections'

/**
 * Starts a private php-fpm master with one pool, `[commands]`, in a temporary folder. It reads no php.ini of the
 * machine, and its children run as the user who runs the tests. Takes about 0.1 s.
 *
 * @throws when php-fpm is not installed or does not come up in time: the message has its log
 */
export async function startPool(options: PoolOptions = {}): Promise<Pool> {
  const directory = temporaryFolder('pool')
  const address: PoolAddress = {
    socket: options.listen === 'tcp' ? `127.0.0.1:${(await freePorts(1))[0]}` : join(directory, 'fpm.sock'),
    statusSocket: join(directory, 'status.sock'),
    directory,
  }
  const configuration = join(directory, 'php-fpm.conf')
  const log = join(directory, 'error.log')
  writeFileSync(configuration, poolConfiguration(address, log, options))

  let master: OwnedProcess | undefined

  const errorLog = () => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  const timesReady = () => errorLog().split(READY).length - 1

  async function nowReady(before: number): Promise<void> {
    await eventually('php-fpm is ready', () => {
      if (master === undefined || master.exit !== undefined)
        throw new Hopeless(`php-fpm has ended:\n${errorLog()}${output()}`)
      return timesReady() > before
    })
  }

  // What php-fpm says before it has read its configuration, such as a mistake in it.
  const output = () => readFileSync(join(directory, 'output.log'), 'utf8')

  async function start(): Promise<void> {
    const before = timesReady()
    const root = process.getuid?.() === 0 ? ['-R'] : []
    const opcache = options.opcache ? ['-d', 'zend_extension=opcache'] : []
    const extensions = (options.extensions ?? []).flatMap((name) => ['-d', `extension=${name}`])
    const args = ['-n', '-F', ...root, ...opcache, ...extensions, '-y', configuration]
    const outputFile = openSync(join(directory, 'output.log'), 'a')
    try {
      const env = { PATH: process.env['PATH'] ?? '' }
      master = await spawnOwned(installedProgram('phpFpm'), args, {
        env,
        stdio: ['ignore', outputFile, outputFile],
      })
    } finally {
      closeSync(outputFile)
    }
    try {
      await nowReady(before)
    } catch (error) {
      await close()
      throw error
    }
  }

  async function kill(): Promise<void> {
    await master?.kill()
    master = undefined
  }

  async function close(): Promise<void> {
    await kill()
    removeFolder(directory)
  }

  await start()
  return {
    ...address,
    get masterPid() {
      return master?.pid
    },
    errorLog,
    async reload() {
      const before = timesReady()
      master?.signal('SIGUSR2')
      await nowReady(before)
    },
    async stop() {
      master?.signal('SIGQUIT')
      await master?.exited
      master = undefined
    },
    kill,
    start,
    close,
  }
}
