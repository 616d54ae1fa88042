import { seeded } from './random.ts'

/** What a message asks of the worker, in its body. All of it is optional. */
export interface Asked {
  /** Milliseconds that it takes. */
  readonly ms?: number
  /** Its first so many attempts answer 503. */
  readonly failures?: number
  /** Its first so many attempts are killed, as when the kernel is short of memory. */
  readonly deaths?: number
  /** Its first attempt hangs, until php-fpm's request_terminate_timeout. */
  readonly hangs?: boolean
  /** It begins its answer before it does anything else. */
  readonly output?: boolean
  /** The worker refuses it for good. */
  readonly refused?: boolean
  /** The application ends before the worker has begun: no answer of the worker's. */
  readonly breaks?: boolean
  /** Milliseconds between its end in the journal and its answer. */
  readonly lingers?: number
  /** Headers that its publisher should not have set. */
  readonly headers?: keyof typeof HOSTILE
  /** Bytes that its body is made longer by. */
  readonly padding?: number
  /** It is no object: nothing of it can be executed. */
  readonly unprocessable?: boolean
}

const HOSTILE = {
  // The outer `object` is amqplib's own mark; on the wire each is a table whose one key looks like such a mark.
  marked: {
    double: { '!': 'object', value: { '!': 'double' } },
    float: { '!': 'object', value: { '!': 'float', value: 1e300 } },
  },
  counted: { 'x-delivery-count': 10 },
} as const

/** More failures than the daemon makes attempts. */
const FOR_EVER = 99

/** The n-th message of the flow asks for the same in every run with this seed. */
export function planned(seed: number, n: number): Asked {
  const random = seeded(Math.imul(seed, 0x9e3779b1) + n)
  const ms = random.integer(0, 40)
  const dice = random.integer(1, 1_000)
  if (dice <= 5) return { ms: random.integer(1_000, 3_000) }
  if (dice <= 10) return { ms: random.integer(300, 1_500), output: true }
  if (dice <= 18) return { ms, failures: random.integer(1, 3) }
  if (dice <= 19) return { ms, failures: FOR_EVER }
  if (dice <= 21) return { ms, deaths: 1, output: dice === 21 }
  if (dice <= 22) return { unprocessable: true }
  // The copy has to carry them.
  if (dice <= 24) return { ms, failures: 1, headers: 'marked' }
  if (dice <= 26) return { ms, headers: 'counted' }
  return { ms }
}

/** The body, of which php-fpm makes a form. */
export function bodyOf(id: string, { unprocessable = false, padding = 0, headers, ...asked }: Asked): Buffer {
  const more = padding > 0 ? { padding: 'x'.repeat(padding) } : {}
  return Buffer.from(JSON.stringify(unprocessable ? id : { id, ...asked, ...more }))
}

/** Its header table, as amqplib takes it. */
export const headersOf = ({ headers }: Asked): Readonly<Record<string, unknown>> =>
  headers === undefined ? {} : HOSTILE[headers]

/** Whether no execution of it can ever succeed, so that its place is the dead-letter queue. */
export function mustBeGivenUp(asked: Asked): boolean {
  const { unprocessable = false, refused = false, breaks = false, failures = 0 } = asked
  return unprocessable || refused || breaks || failures >= FOR_EVER
}
