import { readRunConfig } from '../config/run-config.ts'
import { SupervisorLink } from '../daemon/supervisor-link.ts'
import type { Invocation } from './command.ts'

/**
 * `fpm-bridge run`: one process that does the work, or one that supervises several. Each loads what it needs itself.
 *
 * @returns the exit code
 * @throws {OptionError}
 */
export async function start(invocation: Invocation): Promise<number> {
  const link = SupervisorLink.ofThisProcess(process.env)
  const given = invocation.options()
  const config = readRunConfig(given)
  const configured = { given, config }
  // The processes of a fleet are told the same, and supervise nobody.
  if (link === undefined && config.process.instances > 1)
    return (await import('./supervise.ts')).supervise(invocation, configured)
  return (await import('./run.ts')).run(invocation, configured, link)
}
