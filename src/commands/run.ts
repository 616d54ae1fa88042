import { BrokerError } from '../amqp/broker-error.ts'
import { OptionError } from '../config/option-error.ts'
import type { RunConfig } from '../config/run-config.ts'
import { Daemon, type DrainEnd } from '../daemon/daemon.ts'
import { ProcessEnd } from '../daemon/process-end.ts'
import { ProcessHistory } from '../daemon/process-record.ts'
import { refuseRecordFile } from '../daemon/record-file.ts'
import { Recycling, type RecyclingReason } from '../daemon/recycling.ts'
import type { ServiceManager } from '../daemon/service-manager.ts'
import type { SupervisorLink } from '../daemon/supervisor-link.ts'
import { giveBackUnusedMemory } from '../daemon/unused-memory.ts'
import { createLogger } from '../observe/logger.ts'
import { serviceStatus } from '../observe/service-status.ts'
import type { Invocation } from './command.ts'
import { effectiveConfig, type PrintedConfig, printed } from './config/effective.ts'
import type { Configured } from './configured.ts'
import { DebugLines } from './debug-lines.ts'
import { refuseNonSockets } from './pool-sockets.ts'
import { ignoreHangUp, readAgain } from './read-again.ts'
import { logUnread } from './tell-unread.ts'

/** sysexits */
const EXIT = { done: 0, incomplete: 75, configuration: 78 } as const

/**
 * One process of `fpm-bridge run`: lives until a signal ends it, or until it has done its share. The first signal drains, a second one leaves at once.
 *
 * @param service who has started it, and wants to be told how it does
 * @param link to the supervisor that has started it, if one has: then the process has the id that it says
 * @returns the exit code: 0 drained, 75 not everything was settled, 78 the broker refuses the configuration
 * @throws {OptionError} also when the socket's path is something else than a socket
 */
export async function run(
  { options, unread, version, signals }: Invocation,
  { given, config: asGiven }: Configured,
  service: ServiceManager,
  link?: SupervisorLink,
): Promise<number> {
  const config = withId(asGiven, link?.daemonId)
  const { daemonId, logLevel, logFormat, recordFile } = config.process
  if (recordFile !== undefined) refuseRecordFile(recordFile)
  await refuseNonSockets(config.bridges)
  const log = createLogger({
    level: logLevel,
    format: logFormat,
    stream: process.stderr,
    shared: link !== undefined,
    fields: { daemon_id: daemonId },
  })
  const debugLines = new DebugLines(log, logLevel)
  logUnread(unread, log)
  const queues = config.bridges.map(({ queue }) => queue)
  const history = new ProcessHistory(daemonId, queues)
  const processEnd = new ProcessEnd(history, recordFile, log, (record) => {
    if (link?.isWatched) link.tell({ kind: 'record', record })
  })
  let shutDown = (): void => {}
  let recycle = (_reason: RecyclingReason): void => {}
  const recycling = new Recycling(config.process, (reason) => recycle(reason))
  let print = printed(effectiveConfig(given, config))
  const daemon = new Daemon(config, log, version, {
    tell(event) {
      history.take(event)
      recycling.take(event)
    },
    get counts() {
      return history.counts
    },
    ended: () => processEnd.record(),
    printConfig: () => print,
    link,
    reload: async () => (given.options.has('config') ? reload() : 'there is no --config to read again'),
    shutDown: () => shutDown(),
  })
  /** @returns why not, where the configuration is wrong */
  const reload = async (): Promise<string | undefined> => {
    const next = await readAgain(options, daemonId, log)
    if (typeof next === 'string') return next
    const taken = withId(next.config, link?.daemonId)
    print = afterReload(print, printed(effectiveConfig(next.given, taken)))
    await daemon.reload(taken)
    return undefined
  }
  giveBackUnusedMemory()
  return new Promise((resolve, reject) => {
    const endWith = (end: Promise<DrainEnd>): void => {
      service.stopping()
      end.then((how) => resolve(how === 'drained' ? EXIT.done : EXIT.incomplete), reject)
    }
    shutDown = () => {
      processEnd.because('control')
      endWith(daemon.drain())
    }
    let share: RecyclingReason = 'max-messages'
    const retire = (): void => {
      processEnd.because(share)
      endWith(daemon.retire())
    }
    recycle = (reason) => {
      log.info('This process has done its share.', { reason })
      share = reason
      if (link === undefined) retire()
      else link.tell({ kind: 'tired', reason })
    }
    link?.listen({
      retire,
      'show-debug': () => debugLines.show(true),
      'hide-debug': () => debugLines.show(false),
      reload: () => void reload().then(() => link.tell({ kind: 'reloaded' }), reject),
      gone() {
        log.error('The supervisor is gone: draining.')
        processEnd.because('supervisor-gone')
        endWith(daemon.drain())
      },
    })
    signals.listen({
      end(signal) {
        processEnd.because(signal)
        endWith(daemon.drain())
      },
      leave(signal) {
        log.error('Second signal: leaving at once.', { signal })
        daemon.abortDrain()
      },
      toggleDebug: () => debugLines.toggle(),
      hangUp: given.options.has('config')
        ? () => {
            const reloaded = reload()
            service.reload(reloaded)
            reloaded.catch(reject)
          }
        : ignoreHangUp(log),
      ignore(signal) {
        log.warn('Ignored a signal; SIGTERM, SIGINT and SIGQUIT stop the daemon, SIGHUP reloads.', { signal })
      },
    })
    // One that came before the daemon was there: nothing has to start any more.
    if (signals.ending || link?.isGone) return
    service.begin({ log, status: () => serviceStatus(daemon.view) })
    const started = daemon.start().then(() => {
      service.ready()
      link?.tell({ kind: 'consumes' })
    })
    started.catch((error: unknown) => {
      if (!(error instanceof BrokerError)) {
        // Nobody can listen at --admin.
        if (error instanceof OptionError) processEnd.waive()
        reject(error)
        return
      }
      processEnd.because('refused')
      // Others may be at work already, those of a reload too.
      const isAlone = daemon.size <= 1
      if (isAlone) processEnd.record()
      log.error('Cannot start: the broker refuses the configuration.', {
        reason: error.message,
        code: error.code,
      })
      const drained = isAlone ? Promise.resolve() : daemon.drain()
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

/** @param id in place of the one that the configuration says */
function withId(config: RunConfig, id: string | undefined): RunConfig {
  if (id === undefined) return config
  const { process, bridges } = config
  return {
    process: { ...process, daemonId: id },
    bridges: bridges.map((bridge) => ({ ...bridge, daemonId: id })),
  }
}
