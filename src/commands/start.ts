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
  if (link === undefined) {
    const config = readRunConfig(invocation.options())
    if (config.process.instances > 1) return (await import('./supervise.ts')).supervise(invocation, config)
  }
  return (await import('./run.ts')).run(invocation, link)
}
