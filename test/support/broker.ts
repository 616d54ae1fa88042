import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Broker, type BrokerAddress, brokerAt } from './broker-api.ts'
import { type BrokerOptions, layOut } from './broker-configuration.ts'
import { evalSocketIn } from './broker-eval.ts'
import { eventually, Hopeless } from './eventually.ts'
import { installedProgram } from './installed.mjs'
import { type OwnedProcess, spawnOwned } from './owned-process.ts'
import { freePorts, reach } from './ports.ts'
import { removeFolder, temporaryFolder } from './run-folder.ts'

/** A broker of our own: the one who started it closes it. */
export interface OwnBroker extends Broker {
  readonly directory: string
  /** Of the listener for `amqps:`; nobody listens there unless BrokerOptions.tls was given. */
  readonly tlsPort: number
  /** Of the node, which leads a process group of its own; undefined while it is killed. */
  readonly pid: number | undefined
  /**
   * Resolves when what was declared is on disk, users too. RabbitMQ 3.10 writes it up to two seconds later, and forgets
   * what it has not written when it is killed.
   */
  flush(): Promise<void>
  /** SIGKILL, as a crash of the machine would be; what was on disk stays. */
  kill(): Promise<void>
  /** Starts it again, on the same ports and data. */
  start(): Promise<void>
  /** Ends the node and its epmd and removes the folder. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a private RabbitMQ node with the management plugin, in a temporary folder, on free ports of 127.0.0.1 only,
 * with an epmd and a cookie of its own: it neither sees nor disturbs any other node of the machine. Takes about 5 s.
 *
 * @throws when RabbitMQ is not installed, or does not come up within 60 s: the message has the end of its log
 */
export async function startBroker(options: BrokerOptions = {}): Promise<OwnBroker> {
  const [port, tlsPort, managementPort, distributionPort, epmdPort] = (await freePorts(5)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const directory = temporaryFolder('broker')
  const ports = { port, tlsPort, managementPort, distributionPort, epmdPort }
  const environment = layOut(directory, ports, options)
  const { HOME, RABBITMQ_NODENAME, ERL_EPMD_PORT, RABBITMQ_CONF_ENV_FILE, RABBITMQ_CTL_ERL_ARGS } =
    environment
  const address: BrokerAddress = {
    port,
    managementPort,
    ctlEnvironment: { HOME, RABBITMQ_NODENAME, ERL_EPMD_PORT, RABBITMQ_CONF_ENV_FILE, RABBITMQ_CTL_ERL_ARGS },
    evalSocket: evalSocketIn(directory),
  }
  const broker = brokerAt(address)
  const output = join(directory, 'output.log')
  let epmd: OwnedProcess | undefined
  let node: OwnedProcess | undefined

  /** @param again on a busy machine Erlang's distribution may fail to start, which ends the node at once: then once more */
  async function start(again = true): Promise<void> {
    const started = await spawnLogged(installedProgram('rabbitmqServer'), [], environment, output)
    node = started
    const accepts = async () => {
      if (started.exit !== undefined) throw new Hopeless('the node has ended')
      // The listeners open last, the management plugin's and then the one for AMQP; after them, our own.
      await reach({ port })
      await broker.api('GET', '/overview')
      await reach({ path: address.evalSocket })
      return true
    }
    try {
      await eventually('RabbitMQ accepts connections', accepts, { within: 60_000 })
    } catch (cause) {
      if (again && started.exit !== undefined) return start(false)
      const said = tail(output) // before it goes with the folder
      await close()
      throw new Error(`RabbitMQ did not start:\n${said}`, { cause })
    }
  }

  async function flush(): Promise<void> {
    // Later versions may have no Mnesia, and write at once.
    await broker.evaluate('catch mnesia:sync_log().')
  }

  async function kill(): Promise<void> {
    await node?.kill()
    node = undefined
  }

  async function close(): Promise<void> {
    await kill()
    await epmd?.kill()
    removeFolder(directory)
  }

  // In the foreground, and so ours: the one that the node would start itself is a daemon that outlives it.
  epmd = await spawnLogged(
    installedProgram('epmd'),
    ['-port', String(epmdPort), '-address', '127.0.0.1'],
    environment,
    output,
  )
  await eventually('epmd listens', () => reach({ port: epmdPort }).then(() => true))
  await start()
  return {
    ...broker,
    directory,
    tlsPort,
    get pid() {
      return node?.pid
    },
    flush,
    kill,
    start: () => start(),
    close,
  }
}

async function spawnLogged(command: string, args: string[], env: NodeJS.ProcessEnv, file: string) {
  const output = openSync(file, 'a')
  try {
    return await spawnOwned(command, args, { env, stdio: ['ignore', output, output] })
  } finally {
    closeSync(output)
  }
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
}
