import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { DaemonReport } from '../../control/protocol.ts'
import { asReport } from '../../control/read-report.ts'
import { formatPoolAddress, type PoolAddress } from '../../fastcgi/address.ts'
import { type FleetLook, type FleetSource, FleetUnseen } from './source.ts'

/** Milliseconds for an answer. */
const PATIENCE = 3_000
/** Bytes of a page that is read. */
const MAX_PAGE = 16 * 1024 ** 2

type Fields = Readonly<Record<string, unknown>>

/** One process, or one fleet of a supervisor, by its `/status`. What only the broker knows is not seen. */
export class AdminSource implements FleetSource {
  readonly name: string
  readonly #address: PoolAddress
  readonly #token: string | undefined

  constructor(address: PoolAddress, token: string | undefined) {
    this.name = formatPoolAddress(address)
    this.#address = address
    this.#token = token
  }

  async look(): Promise<FleetLook> {
    return { daemons: daemonsIn(await this.#read()), queues: new Map() }
  }

  async close(): Promise<void> {}

  async #read(): Promise<Fields> {
    try {
      return await this.#get()
    } catch (error) {
      if (error instanceof FleetUnseen) throw error
      throw new FleetUnseen(`${this.name} does not answer: ${(error as Error).message}`, {
        permanent: false,
        cause: error,
      })
    }
  }

  async #get(): Promise<Fields> {
    const where =
      this.#address.kind === 'unix'
        ? { socketPath: this.#address.path, headers: { Host: 'localhost' } }
        : { host: this.#address.host, port: this.#address.port, headers: {} }
    const headers = { ...where.headers, ...(this.#token && { Authorization: `Bearer ${this.#token}` }) }
    const signal = AbortSignal.timeout(PATIENCE)
    const asked = request({ ...where, headers, path: '/status', agent: false, signal })
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const body = await textOf(response)
    if (response.statusCode !== 200) {
      const permanent = response.statusCode === 401 || response.statusCode === 403
      throw new FleetUnseen(`${this.name} answers ${response.statusCode}: ${body.slice(0, 200).trim()}`, {
        permanent,
      })
    }
    const status: unknown = JSON.parse(body)
    if (typeof status === 'object' && status !== null) return status as Fields
    throw new Error('its /status is no object')
  }
}

async function textOf(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > MAX_PAGE) throw new Error('its /status is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** As the daemons themselves would tell it by way of the broker: the words are nearly the same. */
function daemonsIn(status: Fields): readonly DaemonReport[] {
  const pools = listIn(status, 'pools').filter((pool) => pool['status_page'] === 'up')
  const processes = Array.isArray(status['processes']) ? listIn(status, 'processes') : [status]
  return processes.flatMap((each): DaemonReport[] => {
    const report = asReport({
      ...each,
      bridges: listIn(each, 'bridges').map((bridge) => ({ ...bridge, state: stateOf(bridge) })),
      pools: pools.map(({ pool, busy_children: busy, children, listen_queue }) => {
        return { pool, busy, children, listen_queue }
      }),
      failures: listIn(each, 'failures'),
      error: undefined,
    })
    return report === undefined ? [] : [report]
  })
}

function stateOf({ state, drained, paused, hold, in_flight: inFlight }: Fields): unknown {
  if (state === 'draining') return state
  if (drained === true) return inFlight === 0 ? 'drained' : 'draining'
  if (paused === true) return 'paused'
  return hold === undefined ? state : 'held'
}

function listIn(fields: Fields, name: string): readonly Fields[] {
  const list = fields[name]
  return Array.isArray(list) ? list.filter((item) => typeof item === 'object' && item !== null) : []
}
