import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Pool } from '../test/support/pool.ts'
import { removeFolder, temporaryFolder } from '../test/support/run-folder.ts'
import { consoleCommand, type Framework, type Home, PRODUCTION_INI } from './framework.ts'
import { NUMBER, numberedAs } from './sample.ts'
import { CHILDREN, type Stage, startBenchPool } from './stage.ts'
import type { Work } from './work.ts'

/** An application of a framework, ready for production, with a pool of its own. */
export class Application {
  readonly pool: Pool
  readonly #stage: Stage
  readonly #framework: Framework
  readonly #home: Home
  readonly #folder: string

  static async open(stage: Stage, framework: Framework): Promise<Application> {
    const folder = temporaryFolder('application')
    const home: Home = { port: stage.broker.port, script: framework.make(folder) }
    if (framework.warmUp !== undefined) await runConsole(framework, home, framework.warmUp)
    const environment = { ...framework.environment(home), RECORDS: stage.records }
    const php = { extensions: framework.extensions.everywhere, ini: PRODUCTION_INI }
    return new Application(stage, framework, home, folder, await startBenchPool(CHILDREN, environment, php))
  }

  private constructor(stage: Stage, framework: Framework, home: Home, folder: string, pool: Pool) {
    this.#stage = stage
    this.#framework = framework
    this.#home = home
    this.#folder = folder
    this.pool = pool
  }

  /**
   * Has the application send a message, and makes many of it.
   *
   * @param does what its handler is to do, as php/Work.php knows it
   */
  async work(does: string): Promise<Work> {
    await runConsole(this.#framework, this.#home, ['send', does, NUMBER])
    const sample = await this.#stage.queue.take()
    const body = numberedAs(sample)
    const { script } = this.#home
    return { script, fill: (queue, count) => queue.fill(count, body, sample.properties) }
  }

  async close(): Promise<void> {
    await this.pool.close()
    removeFolder(this.#folder)
  }
}

async function runConsole(framework: Framework, home: Home, args: readonly string[]): Promise<void> {
  const [php = '', ...command] = consoleCommand(framework, home, args)
  await promisify(execFile)(php, command, { env: { ...framework.environment(home) } })
}
