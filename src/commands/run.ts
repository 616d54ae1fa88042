import { lstat } from 'node:fs/promises'
import { BrokerError } from '../amqp/broker-error.ts'
import { OptionError } from '../config/option-error.ts'
import { readRunConfig } from '../config/run-config.ts'
import { Daemon } from '../daemon/daemon.ts'
import { giveBackUnusedMemory } from '../daemon/unused-memory.ts'
import type { PoolAddress } from '../fastcgi/address.ts'
import { createLogger } from '../observe/logger.ts'
import type { Invocation } from './command.ts'
import { effectiveConfig, type PrintedConfig, printed } from './config/effective.ts'

/** sysexits */
const EXIT = { done: 0, incomplete: 75, configuration: 78 } as const

/**
 * `fpm-bridge run`: lives until a signal ends it. The first one drains, a second one leaves at once.
 *
 * @returns the exit code: 0 drained, 75 not everything was settled, 78 the broker refuses the configuration
 * @throws {OptionError} also when the socket's path is something else than a socket
 */
export async function run({ options: read, version, signals }: Invocation): Promise<number> {
  const given = read()
  const hasFile = given.options.has('config')
  const config = readRunConfig(given)
  await Promise.all(config.bridges.map(({ pool }) => refuseNonSocket(pool)))
  const log = createLogger({
    level: config.process.logLevel,
    format: config.process.logFormat,
    stream: process.stderr,
    fields: { daemonId: config.process.daemonId },
  })
  let print = printed(effectiveConfig(given, config))
  const daemon = new Daemon(config, log, version, () => print)
  const reload = async (): Promise<void> => {
    try {
      const options = read()
      const next = readRunConfig(options, config.process.daemonId)
      await Promise.all(next.bridges.map(({ pool }) => refuseNonSocket(pool)))
      print = afterReload(print, printed(effectiveConfig(options, next)))
      await daemon.reload(next)
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      const reason = error.complaints.join('; ')
      log.error('Not reloaded: the configuration is wrong. The one before stays.', { reason })
    }
  }
  giveBackUnusedMemory()
  return new Promise((resolve, reject) => {
    signals.listen({
      end() {
        daemon.drain().then((end) => resolve(end === 'drained' ? EXIT.done : EXIT.incomplete), reject)
      },
      leave(signal) {
        log.error('Second signal: leaving at once.', { signal })
        daemon.abortDrain()
      },
      hangUp(signal) {
        if (hasFile) void reload().catch(reject)
        else log.warn('Ignored a signal: there is no --config to read again.', { signal })
      },
      ignore(signal) {
        log.warn('Ignored a signal; SIGTERM, SIGINT and SIGQUIT stop the daemon, SIGHUP reloads.', { signal })
      },
    })
    // One that came before the daemon was there: nothing has to start any more.
    if (signals.ending) return
    daemon.start().catch((error: unknown) => {
      if (!(error instanceof BrokerError)) {
        reject(error)
        return
      }
      log.error('Cannot start: the broker refuses the configuration.', {
        reason: error.message,
        code: error.code,
      })
      // Other bridges may be at work already.
      const drained = config.bridges.length > 1 ? daemon.drain() : Promise.resolve()
      drained.then(() => resolve(EXIT.configuration), reject)
    })
  })
}

/** Options of the process stay as they are until a restart, all but one. */
function afterReload({ process }: PrintedConfig, next: PrintedConfig): PrintedConfig {
  const drainTimeout = next.process['drain-timeout']
  return {
    process: drainTimeout ? { ...process, 'drain-timeout': drainTimeout } : process,
    bridges: next.bridges,
  }
}

/**
 * A missing socket is waited for, since php-fpm may start later. A file in its place will not become one.
 */
async function refuseNonSocket(pool: PoolAddress): Promise<void> {
  if (pool.kind !== 'unix') return
  const stats = await lstat(pool.path).catch(() => undefined)
  if (stats === undefined || stats.isSocket() || stats.isSymbolicLink()) return
  const what = stats.isDirectory() ? 'a directory' : 'a file'
  throw new OptionError(
    `--socket ${pool.path} is ${what} and no socket; it must be the \`listen\` of the pool`,
    78,
  )
}
