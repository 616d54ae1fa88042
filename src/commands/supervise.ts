import { OptionError } from '../config/option-error.ts'
import { DAEMON_ID_BYTES } from '../config/values.ts'
import { childStarter } from '../daemon/child.ts'
import { claimId } from '../daemon/claimed-id.ts'
import type { FleetAdmin } from '../daemon/fleet-admin.ts'
import { refuseRecordFile } from '../daemon/record-file.ts'
import type { ServiceManager } from '../daemon/service-manager.ts'
import { Supervisor } from '../daemon/supervisor.ts'
import { formatPoolAddress } from '../fastcgi/address.ts'
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
  { options, version, unread, signals }: Invocation,
  { given, config: { process: config, bridges: first } }: Configured,
  service: ServiceManager,
): Promise<number> {
  const { daemonId, instances, logLevel, logFormat } = config
  const ids = Array.from({ length: instances }, (_, index) => `${daemonId}-${index + 1}`)
  refuseLongId(ids.at(-1) ?? daemonId)
  // Each process would say so.
  if (config.recordFile !== undefined) refuseRecordFile(config.recordFile)
  let { drainTimeout } = config
  let bridges = first
  const log = createLogger({
    level: logLevel,
    format: logFormat,
    stream: process.stderr,
    shared: true,
    fields: { daemon_id: daemonId },
  })
  const debugLines = new DebugLines(log, logLevel)
  logUnread(unread, log)
  const admin = await openAdmin(config, { daemonId, version, ids }, () => bridges)
  if (config.admin !== undefined) log.info('Listening.', { admin: formatPoolAddress(config.admin.address) })
  if (given.options.has('daemon-id')) claimId(daemonId, log)
  const start = childStarter(process.env, admin !== undefined)
  const supervisor = new Supervisor({
    ids,
    start: admin?.watch.watching(start) ?? start,
    log,
    drainTimeout: () => drainTimeout,
    allConsume: () => service.ready(),
    ending() {
      admin?.watch.drain()
      service.stopping()
    },
  })
  let reloading = Promise.resolve()
  const reload = async (): Promise<void> => {
    const next = await readAgain(options, daemonId, log)
    if (typeof next === 'string') return
    drainTimeout = next.config.process.drainTimeout
    bridges = next.config.bridges
    log.info('Reloading the fleet, one process after the other.')
    await supervisor.reload()
    log.info('The fleet has reloaded.')
  }
  const end = new Promise<number>((resolve, reject) => {
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
  return end.finally(() => admin?.close())
}

/** It is loaded where somebody wants it. @throws {OptionError} when it cannot listen there */
async function openAdmin(...what: Parameters<typeof FleetAdmin.open>): Promise<FleetAdmin | undefined> {
  const [{ admin }] = what
  return admin && (await import('../daemon/fleet-admin.ts')).FleetAdmin.open(...what)
}

/** The id of each process has a number beside it. */
function refuseLongId(id: string): void {
  if (Buffer.byteLength(id) <= DAEMON_ID_BYTES) return
  throw new OptionError(
    `--daemon-id must be at most ${DAEMON_ID_BYTES} bytes long, with the number of a process beside it`,
    64,
  )
}
