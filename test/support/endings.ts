import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parsePoolAddress } from '../../src/fastcgi/address.ts'
import { Connection } from '../../src/fastcgi/connection.ts'
import { Exchange } from '../../src/fastcgi/exchange.ts'
import { RequestEncoder } from '../../src/fastcgi/request.ts'
import { connectPool } from '../../src/fastcgi/socket.ts'
import { FastCgiError } from '../../src/fastcgi/types.ts'
import { type Pool, startPool } from './pool.ts'
import type { PoolOptions } from './pool-configuration.ts'

/*
 * Ends requests in every way in which a pool can end them, and compares what we say of each with what its script has noted.
 */

/** What becomes of a pool under load. */
export const DEEDS = {
  'pool killed': {
    options: {},
    async do(pool: Pool) {
      await pool.kill()
      await pool.start()
    },
  },
  'pool stopped': {
    options: {},
    async do(pool: Pool) {
      await pool.stop()
      await pool.start()
    },
  },
  'pool reloaded at once': { options: {}, do: (pool: Pool) => pool.reload() },
  'pool reloaded': {
    options: { global: { process_control_timeout: '10s' } },
    do: (pool: Pool) => pool.reload(),
  },
  'children killed': { options: {}, do: () => sleep(100) },
  'pm.max_requests 5': { options: { settings: { 'pm.max_requests': 5 } }, do: () => sleep(100) },
} as const satisfies Record<string, { options: PoolOptions; do(pool: Pool): Promise<unknown> }>
export type Deed = keyof typeof DEEDS

/** Requests that ended in one way. */
export interface Ending {
  /** Code, phase, and the operating system's word. */
  readonly how: string
  executed: number
  notExecuted: number
}

export interface EndingsOptions {
  readonly deed: Deed
  /** How often. */
  readonly rounds: number
  /** Whether the empty stdin record is sent. */
  readonly endOfStdin: boolean
  readonly bodyBytes: number
  readonly kept: boolean
}

const CHILDREN = 8
/** More than there are children: some wait in the backlog. */
const CLIENTS = 12
/** Requests on one connection, more or less. */
const REUSES = 20
const LIMITS = { maxResponse: 1_024, maxStderr: 1_024 }

/** The failed requests, by how they ended; and how many were answered. */
export async function observeEndings(options: EndingsOptions) {
  const { deed, rounds, endOfStdin, bodyBytes, kept } = options
  const pool = await startPool({ children: CHILDREN, ...DEEDS[deed].options })
  const notes = join(pool.directory, 'notes')
  const script = fileURLToPath(new URL('php/note.php', import.meta.url))
  const params = { REQUEST_METHOD: 'POST', SCRIPT_FILENAME: script, SCRIPT_NAME: '/note.php', NOTES: notes }
  const encoder = new RequestEncoder({ params, endOfStdin })
  const body = Buffer.alloc(bodyBytes, 'x')
  const address = parsePoolAddress(pool.socket)
  const ends = new Map<string, string>()
  let answered = 0
  let over = false

  /** One after the other; a connection that is still good is used again. */
  async function client(number: number): Promise<void> {
    let connection: Connection | undefined
    for (let turn = 0; !over; turn += 1) {
      const id = `${number}-${turn}`
      const dies = deed === 'children killed' && Math.random() < 0.2
      const more: Record<string, string> = {
        ID: id,
        CONTENT_LENGTH: String(bodyBytes),
        ...(dies && { DIE: '1' }),
      }
      try {
        if (!kept || !connection?.usable) connection = undefined
        connection ??= new Connection(await connectPool(address, 1_000), 'unix')
        const exchange = new Exchange(LIMITS, connection.nextRequestId, 0, 0)
        connection.send(exchange, encoder.encode(more, body), kept, () => {})
        await exchange.response
        answered += 1
      } catch (error) {
        connection?.destroy()
        connection = undefined
        if (!(error instanceof FastCgiError)) throw error
        if (error.phase === 'connect') await sleep(2)
        else ends.set(id, `${error.code} (${error.phase}, ${error.systemCode})`)
      }
      // Others wait for its child.
      if (!kept || turn % REUSES === 0) connection?.destroy()
    }
    connection?.destroy()
  }

  try {
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number))
    for (let round = 0; round < rounds; round += 1) {
      await sleep(50 + Math.random() * 50)
      await DEEDS[deed].do(pool)
    }
    over = true
    await Promise.all(clients)
    // What was still in a socket when we left it runs now.
    await sleep(200)
    const executed = new Set(existsSync(notes) ? readFileSync(notes, 'utf8').split('\n') : [])
    return { answered, endings: count(ends, executed) }
  } finally {
    over = true
    await pool.close()
  }
}

function count(ends: ReadonlyMap<string, string>, executed: ReadonlySet<string>): readonly Ending[] {
  const endings = new Map<string, Ending>()
  for (const [id, how] of ends) {
    const ending = endings.get(how) ?? { how, executed: 0, notExecuted: 0 }
    endings.set(how, ending)
    ending[executed.has(id) ? 'executed' : 'notExecuted'] += 1
  }
  return [...endings.values()].toSorted((one, other) => one.how.localeCompare(other.how))
}
