import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { installedProgram } from '../test/support/installed.mjs'

/** What the figures depend on, in one line. */
export async function describeMachine(brokerVersion: string): Promise<string> {
  const php = execFileSync(installedProgram('php'), ['-r', 'echo PHP_VERSION;'], { encoding: 'utf8' })
  const processors = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${processors.length} x ${processors[0]?.model.trim()}, ${memory}; Node.js ${process.versions.node}, PHP ${php}, RabbitMQ ${brokerVersion}`
}
