import { readRunConfig } from '../config/run-config.ts'
import { takeServiceEnvironment } from '../daemon/service-environment.ts'
import { NO_SERVICE_MANAGER, type ServiceManager } from '../daemon/service-manager.ts'
import { SupervisorLink } from '../daemon/supervisor-link.ts'
import type { Invocation } from './command.ts'

/**
 * `fpm-bridge run`: one process that does the work, or one that supervises several. Each loads what it needs itself.
 *
 * @returns the exit code
 * @throws {OptionError}
 */
export async function start(invocation: Invocation): Promise<number> {
  const service = await serviceManager()
  const link = SupervisorLink.ofThisProcess(process.env)
  const given = invocation.options()
  const config = readRunConfig(given)
  const configured = { given, config }
  try {
    // The processes of a fleet are told the same, and supervise nobody.
    if (link === undefined && config.process.instances > 1)
      return await (await import('./supervise.ts')).supervise(invocation, configured, service)
    return await (await import('./run.ts')).run(invocation, configured, service, link)
  } finally {
    await service.close()
  }
}

/** Who has started this process, and wants to be told how it does, if anybody does. */
async function serviceManager(): Promise<ServiceManager> {
  const environment = takeServiceEnvironment(process.env, process.pid)
  if (environment === undefined) return NO_SERVICE_MANAGER
  const { ServiceNotify } = await import('../daemon/service-notify.ts')
  return new ServiceNotify(environment)
}
