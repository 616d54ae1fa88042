import { OptionError } from '../config/option-error.ts'
import { DAEMON_ID_BYTES } from '../config/values.ts'
import { childStarter } from '../daemon/child.ts'
import { claimId } from '../daemon/claimed-id.ts'
import type { ServiceManager } from '../daemon/service-manager.ts'
import { Supervisor } from '../daemon/supervisor.ts'
import { createLogger } from '../observe/logger.ts'
import type { Invocation } from './command.ts'
import type { Configured } from './configured.ts'
import { DebugLines } from './debug-lines.ts'
import { ignoreHangUp, readAgain } from './read-again.ts'
import { logUnread } from './tell-unread.ts'

/**
 * Several processes of `fpm-bridge run`, with the ids `<id>-1` to `<id>-N`: lives until a signal ends them all. The first one has them
 * drain, a second one leave at once.
 *
 * @returns the exit code: 0 drained, 75 not everything was settled, 78 a process says at the start that the configuration is wrong
 * @throws {OptionError}
 */
export async function supervise(
  { options, unread, signals }: Invocation,
  { given, config: { process: config } }: Configured,
  service: ServiceManager,
): Promise<number> {
  const { daemonId, instances, logLevel, logFormat } = config
  const ids = Array.from({ length: instances }, (_, index) => `${daemonId}-${index + 1}`)
  refuseLongId(ids.at(-1) ?? daemonId)
  // One address cannot be listened at by several processes.
  if (config.admin !== undefined)
    throw new OptionError('--admin serves one process; leave it out where --instances is more than 1', 78)
  let { drainTimeout } = config
  const log = createLogger({
    level: logLevel,
    format: logFormat,
    stream: process.stderr,
    shared: true,
    fields: { daemon_id: daemonId },
  })
  const debugLines = new DebugLines(log, logLevel)
  logUnread(unread, log)
  if (given.options.has('daemon-id')) claimId(daemonId, log)
  const supervisor = new Supervisor({
    ids,
    start: childStarter(process.env),
    log,
    drainTimeout: () => drainTimeout,
    allConsume: () => service.ready(),
    ending: () => service.stopping(),
  })
  let reloading = Promise.resolve()
  const reload = async (): Promise<void> => {
    const next = await readAgain(options, daemonId, log)
    if (next === undefined) return
    drainTimeout = next.config.process.drainTimeout
    log.info('Reloading the fleet, one process after the other.')
    await supervisor.reload()
    log.info('The fleet has reloaded.')
  }
  return new Promise((resolve, reject) => {
    signals.listen({
      end: (signal) => supervisor.drain(signal),
      leave: (signal) => supervisor.leave(signal),
      hangUp: given.options.has('config')
        ? () => {
            reloading = reloading.then(reload).catch(reject)
            service.reload(reloading)
          }
        : ignoreHangUp(log),
      toggleDebug: () => supervisor.showDebug(debugLines.toggle()),
      ignore(signal) {
        log.warn('Ignored a signal; SIGTERM, SIGINT and SIGQUIT stop the daemon.', { signal })
      },
    })
    // One that came before the supervisor was there: nothing has to start any more.
    if (signals.ending) {
      resolve(0)
      return
    }
    service.begin({ log, status: () => supervisor.status })
    supervisor.run().then(resolve, reject)
  })
}

/** The id of each process has a number beside it. */
function refuseLongId(id: string): void {
  if (Buffer.byteLength(id) <= DAEMON_ID_BYTES) return
  throw new OptionError(
    `--daemon-id must be at most ${DAEMON_ID_BYTES} bytes long, with the number of a process beside it`,
    64,
  )
}
