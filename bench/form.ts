import { formAtOnce } from '../test/support/form-at-once.ts'
import { progress } from './progress.ts'
import { ratios, type Spread, spread } from './statistics.ts'

/** What makes forms of messages. */
interface Encoder {
  readonly name: string
  readonly encode: (body: Buffer) => Buffer
}

const DAEMON_ID = 'D-12345678'

const OURS: Encoder = { name: 'fpm-bridge', encode: (body) => formAtOnce(body, ['daemonId', DAEMON_ID]) }

/** What one would write without a thought for PHP: other bytes for lists, true, null, floats and integer-like keys. */
const OBVIOUS: Encoder = {
  name: 'JSON.parse and URLSearchParams',
  encode: (body) => {
    const data = JSON.parse(body.toString())
    data.daemonId = DAEMON_ID
    return Buffer.from(new URLSearchParams(data).toString())
  },
}

const text = (length: number) => 'Lorem ipsum dolor sit amet. '.repeat(length / 28).trim()

/** Flat messages, of which both make the same form. */
const MESSAGES: Readonly<Record<string, object>> = {
  'one member': { number: '7' },
  'six members': {
    command: 'send-invoice',
    order: 10_482,
    customer: 'acme',
    email: 'jane.doe@example.com',
    urgent: 'yes',
    total: 129.95,
  },
  'twenty members': Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`field-${index}`, `value ${index}`]),
  ),
  'UTF-8': { name: 'Zoë Müller', city: 'Köln', note: 'Größe 42, 5 € Rabatt' },
  'a text of 1 KiB': { id: 17, text: text(1_024) },
}

/** Milliseconds that a contestant has in each round. */
const TURN = 200
/** Forms between two looks at the clock. */
const BATCH = 500

export interface FormRate {
  readonly message: string
  /** Bytes of the JSON. */
  readonly size: number
  /** Forms in a second of CPU time, since the machine is seldom quiet. */
  readonly ours: Spread
  readonly obvious: Spread
  readonly ratio: Spread
}

/** Forms a second of CPU time beside the obvious way, in this very process: no broker and no pool take part. */
export function form(rounds: number): FormRate[] {
  return Object.entries(MESSAGES).map(([message, data]) => {
    progress(`forms of ${message}`)
    const body = Buffer.from(JSON.stringify(data))
    if (!OURS.encode(body).equals(OBVIOUS.encode(body))) throw new Error(`The forms of ${message} differ`)
    const rates = { ours: [] as number[], obvious: [] as number[] }
    // The first round is for the compiler.
    for (let round = 0; round <= rounds; round += 1) {
      const [ours, obvious] = [rate(OURS, body), rate(OBVIOUS, body)]
      if (round === 0) continue
      rates.ours.push(ours)
      rates.obvious.push(obvious)
    }
    const { ours, obvious } = rates
    return {
      message,
      size: body.length,
      ours: spread(ours),
      obvious: spread(obvious),
      ratio: ratios(ours, obvious),
    }
  })
}

function rate({ encode }: Encoder, body: Buffer): number {
  const started = performance.now()
  const before = process.cpuUsage()
  let count = 0
  while (performance.now() - started < TURN) {
    for (let index = 0; index < BATCH; index += 1) encode(body)
    count += BATCH
  }
  const { user, system } = process.cpuUsage(before)
  return (count / (user + system)) * 1_000_000
}
