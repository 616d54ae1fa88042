import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { evaluateAt } from './broker-eval.ts'
import { installedProgram } from './installed.mjs'

/** Where a private broker is and how to speak to it: plain data, so that a test file can be told of the shared one. */
export interface BrokerAddress {
  readonly port: number
  readonly managementPort: number
  /** What rabbitmqctl needs to find the node and be let in. */
  readonly ctlEnvironment: Readonly<Record<string, string>>
  /** Where the node evaluates expressions: see broker-eval.ts. */
  readonly evalSocket: string
}

/** What `rabbitmqctl list_queues` tells of a queue. */
export interface QueueCounts {
  readonly name: string
  readonly ready: number
  readonly unacked: number
  readonly consumers: number
}

export interface Broker {
  readonly address: BrokerAddress
  readonly port: number
  /** Of the virtual host `/`, as guest. */
  readonly url: string
  /** Runs rabbitmqctl, which takes 1 to 2 s, and returns its stdout. Throws with its stderr when it fails. */
  ctl(...args: string[]): Promise<string>
  /** What `rabbitmqctl eval` does, and within milliseconds. See broker-eval.ts. */
  evaluate(expressions: string): Promise<string>
  /** Changes a setting of a broker that runs, until its next start. RabbitMQ 4 has copied some at its start to where it looks. */
  set(key: string, value: number): Promise<unknown>
  /** The first number of RabbitMQ's version: what 4 does with messages is not all that 3 did. */
  majorVersion(): Promise<number>
  /** The exact counts at this moment, from the queues themselves. Takes milliseconds. */
  queues(virtualHost?: string): Promise<QueueCounts[]>
  /**
   * The management HTTP API. Acts within milliseconds; the statistics it returns are up to 2 s old.
   *
   * @param path below `/api`, its parts encoded: `/queues/%2F/commands`
   * @returns the JSON of the answer; undefined when it is empty
   * @throws ApiError when the answer is not a 2xx
   */
  api<T = unknown>(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>
}

export class ApiError extends Error {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

const run = promisify(execFile)

/** A broker that somebody else started and will stop. */
export function brokerAt(address: BrokerAddress): Broker {
  const { port, managementPort, ctlEnvironment, evalSocket } = address

  async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${managementPort}/api${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`,
        'content-type': 'application/json',
        // fetch would keep connections, and send into one that the server is just closing.
        connection: 'close',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) {
      throw new ApiError(`${method} ${path} answered ${response.status}: ${text}`, response.status)
    }
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  async function ctl(...args: string[]): Promise<string> {
    const environment = { PATH: process.env['PATH'], ...ctlEnvironment }
    const { stdout } = await run(installedProgram('rabbitmqctl'), args, { env: environment, timeout: 60_000 })
    return stdout
  }

  const evaluate = (expressions: string) => evaluateAt(evalSocket, expressions)

  return {
    address,
    port,
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    ctl,
    evaluate,
    api,

    set(key, value) {
      const copied = `persistent_term:get(${key}, undefined) =:= undefined orelse persistent_term:put(${key}, ${value})`
      return evaluate(`application:set_env(rabbit, ${key}, ${value}), ${copied}.`)
    },

    async majorVersion() {
      const { rabbitmq_version } = await api<{ rabbitmq_version: string }>('GET', '/overview')
      return Number.parseInt(rabbitmq_version, 10)
    },

    async queues(virtualHost = '/') {
      const queues = await evaluate(`
        true = rabbit_vhost:exists(<<"${virtualHost}">>),
        Items = [name, messages_ready, messages_unacknowledged, consumers],
        rabbit_json:encode([
          #{name => Name, ready => Ready, unacked => Unacked, consumers => Consumers} ||
          [{_, {resource, _, _, Name}}, {_, Ready}, {_, Unacked}, {_, Consumers}] <-
            rabbit_amqqueue:info_all(<<"${virtualHost}">>, Items)
        ]).`)
      return JSON.parse(queues)
    },
  }
}
