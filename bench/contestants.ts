import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installedProgram } from '../test/support/installed.mjs'
import { QUEUE } from './queue.ts'

/** Where a contestant finds its messages and its pool. */
export interface Place {
  /** The broker's port on 127.0.0.1, for guest. */
  readonly port: number
  readonly socket: string
  readonly script: string
  /** Requests in flight, and unacked deliveries, at most; children of the pool. */
  readonly concurrency: number
}

/** What consumes the queue. Each is a command of its own, as its user would start it, which SIGTERM ends with 0. */
export interface Contestant {
  readonly name: string
  /** Who executes: the pool, the processes themselves, or nobody. */
  readonly executedBy: 'pool' | 'itself' | 'nobody'
  /** Messages that one request to the pool carries; default 1. */
  readonly carries?: number
  /** Of the messages of the fastest: slow ones would take minutes. */
  readonly share: number
  /** How many processes of the command run side by side; default 1. */
  readonly processes?: number
  /** Of its processes, over PATH and HOME. */
  environment?(place: Place): Readonly<Record<string, string>>
  command(place: Place): readonly string[]
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
export const urlOf = ({ port }: Pick<Place, 'port'>): string => `amqp://guest:guest@127.0.0.1:${port}`
export const peer = (name: string): readonly string[] => [process.execPath, file(`peers/${name}.mjs`)]
const php = (name: string): readonly string[] => [installedProgram('php'), file(`php/${name}.php`)]

export const script = (name: string): string => file(`php/${name}.php`)

/** `fpm-bridge run`, as shipped: its log at level info goes to a file. */
export function bridge(name: string, args: readonly string[], main = file('../dist/main.js')): Contestant {
  return {
    name: `fpm-bridge ${name}`,
    executedBy: 'pool',
    share: 1,
    command: (place) => [
      process.execPath,
      main,
      'run',
      ...['--url', urlOf(place), '--queue', QUEUE],
      ...['--socket', place.socket, '--script', place.script, '--concurrency', String(place.concurrency)],
      ...args,
    ],
  }
}

export const COMPLETED = bridge('--ack completed', ['--ack', 'completed'])
export const DISPATCHED = bridge('--ack dispatched', ['--ack', 'dispatched'])
/** The same two of another checkout, which is built. */
export const bothOf = (checkout: string): readonly Contestant[] =>
  (['completed', 'dispatched'] as const).map((ack) =>
    bridge(before(ack), ['--ack', ack], resolve(checkout, 'dist/main.js')),
  )
export const before = (ack: 'completed' | 'dispatched'): string => `before, --ack ${ack}`
/** The same with many messages in a request; its scripts are the others of the package. */
export const MANY: Contestant = {
  ...COMPLETED,
  name: 'fpm-bridge --messages-per-request 100',
  carries: 100,
  command: (place) => [
    ...COMPLETED.command({ ...place, script: place.script.replace(/([^/]+)$/, 'many-$1') }),
    ...['--messages-per-request', '100'],
  ],
}
export const LIBRARY = bridge('--transport fastcgi-client', [
  '--ack',
  'completed',
  '--transport',
  'fastcgi-client',
])

export const REFERENCE: Contestant = {
  name: 'reference PHP daemon',
  executedBy: 'pool',
  share: 0.4,
  command: ({ port, socket, script: worker }) => [
    ...php('reference-daemon'),
    String(port),
    QUEUE,
    socket,
    worker,
  ],
}

/** amqplib and kept FastCGI connections in less than 100 lines. */
export const SHORTEST: Contestant = {
  name: 'shortest loop',
  executedBy: 'pool',
  share: 1,
  command: (place) => [
    ...peer('shortest-loop'),
    urlOf(place),
    QUEUE,
    String(place.concurrency),
    place.socket,
    place.script,
  ],
}

/** @param ahead unacked deliveries for each that a pool would execute at a time */
const consumer = (processes: number, ahead = 1): Contestant => ({
  name: `PHP consumer, ${processes === 1 ? '1 process' : `${processes} processes`}`,
  executedBy: 'itself',
  share: 1,
  processes,
  command: ({ port, concurrency }) => [...php('consumer'), String(port), QUEUE, String(concurrency * ahead)],
})

/** Together they have as many messages unacked as the bridge with many messages in a request. */
export const CONSUMERS = consumer(4, 4)

const EXEC: Contestant = {
  name: 'php started per message',
  executedBy: 'itself',
  share: 0.02,
  command: (place) => [
    ...peer('exec-consumer'),
    urlOf(place),
    QUEUE,
    String(place.concurrency),
    ...php('once'),
  ],
}

const BROKER_ONLY: Contestant = {
  name: 'broker only: consume, ack',
  executedBy: 'nobody',
  share: 1,
  command: (place) => [...peer('broker-only'), urlOf(place), QUEUE, String(place.concurrency)],
}

/** In the order of the table. */
export const CONTESTANTS: readonly Contestant[] = [
  COMPLETED,
  DISPATCHED,
  MANY,
  LIBRARY,
  REFERENCE,
  consumer(1),
  consumer(4),
  EXEC,
  SHORTEST,
  BROKER_ONLY,
]
