import fc from 'fast-check'
import { vi } from 'vitest'
import { Domain } from '../../../src/bridge/domain.ts'
import type { BridgeEvent, Tell } from '../../../src/bridge/events.ts'
import type { BridgePolicy } from '../../../src/bridge/ports.ts'
import { Counters, type Counts } from '../../../src/observe/counters.ts'
import {
  answer,
  connectFailure,
  connectionLost,
  fileNotFound,
  notRead,
  sendFailure,
} from '../../support/answers.ts'
import { ModelBroker, type Publication } from './model-broker.ts'
import { WaitingPool, type WaitingRequest } from './waiting-pool.ts'

const ANSWERS = {
  success: (request) => request.complete(answer(200)),
  busy: (request) => request.complete(answer(503)),
  'given up': (request) => request.complete(answer(422)),
  'to be held': (request) => request.complete(answer(503, { headers: { 'x-bridge-outcome': 'hold' } })),
  'no script': (request) => request.complete(fileNotFound()),
  'cut off': (request) => {
    request.onSent()
    request.fail(connectionLost())
  },
  unread: (request) => {
    request.onSent()
    request.fail(notRead())
  },
  'broken off': (request) => request.fail(sendFailure()),
  'no pool': (request) => request.fail(connectFailure()),
} as const satisfies Record<string, (request: WaitingRequest) => void>

/** Something that happens to a bridge. */
export type Deed =
  | { readonly what: 'message'; readonly kind: 'usual' | 'unprocessable' | 'often back' }
  /** The request is sent, and answered. */
  | { readonly what: 'answer'; readonly which: number; readonly how: keyof typeof ANSWERS }
  | { readonly what: 'sent'; readonly which: number }
  | { readonly what: 'session ends' }
  /** What becomes of the next copy. */
  | { readonly what: 'publication'; readonly next: Publication }
  | { readonly what: 'time'; readonly milliseconds: number }

const which = fc.nat(3)
const message: fc.Arbitrary<Deed> = fc.record({
  what: fc.constant('message'),
  kind: fc.constantFrom('usual', 'usual', 'usual', 'unprocessable', 'often back'),
})
const answered: fc.Arbitrary<Deed> = fc.record({
  what: fc.constant('answer'),
  which,
  // With as many of each, there is hardly ever no hold.
  how: fc.constantFrom(
    'success',
    'success',
    'success',
    'busy',
    ...(Object.keys(ANSWERS) as (keyof typeof ANSWERS)[]),
  ),
})
const publication: fc.Arbitrary<Deed> = fc.record({
  what: fc.constant('publication'),
  next: fc.constantFrom('taken', 'late', 'refused', 'unconfirmed', 'unanswered'),
})
const time: fc.Arbitrary<Deed> = fc.record({
  what: fc.constant('time'),
  milliseconds: fc.constantFrom(1, 300, 1_100, 6_000, 70_000),
})
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: message },
  { weight: 6, arbitrary: answered },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('sent'), which }) },
  { weight: 1, arbitrary: fc.constant({ what: 'session ends' }) },
  { weight: 2, arbitrary: publication },
  { weight: 2, arbitrary: time },
)
export const someDeeds: fc.Arbitrary<readonly Deed[]> = fc.array(deed, {
  minLength: 5,
  maxLength: 80,
  size: 'max',
})

/** An event, and whom it was about when it was told: an execution may adopt another delivery later. */
export interface Told {
  readonly event: BridgeEvent
  readonly deliveryTag: number | undefined
  readonly executionId: string | undefined
}

export interface Played {
  readonly broker: ModelBroker
  readonly counts: Counts
  readonly told: readonly Told[]
  readonly drained: boolean
  /** Executions that were still running when the bridge gave up. */
  readonly running: ReadonlySet<string | undefined>
}

/** Does all that, under fake timers, to a bridge; then it drains, or gives up soon after. */
export async function play(policy: BridgePolicy, deeds: readonly Deed[], givesUp: boolean): Promise<Played> {
  const broker = new ModelBroker(policy)
  const pool = new WaitingPool()
  const counters = new Counters()
  const told: Told[] = []
  const tell: Tell = (event) => {
    told.push({ event, ...idsOf(event) })
    counters.count(event)
  }
  const gaveUp = new AbortController()
  const surroundings = { client: pool, publisher: broker, intake: broker, tell, signal: gaveUp.signal }
  const { dispatcher } = new Domain(policy, surroundings)
  for (const each of deeds) {
    happen(each, broker, pool)
    await vi.advanceTimersByTimeAsync(each.what === 'time' ? each.milliseconds : 0)
    for (let next = broker.next(); next !== undefined; next = broker.next()) {
      dispatcher.accept(next)
      await vi.advanceTimersByTimeAsync(0)
    }
  }
  broker.publications.length = 0
  let drained = false
  void dispatcher.drain().then(() => {
    drained = true
  })
  const running = new Set<string | undefined>()
  if (givesUp) {
    await vi.advanceTimersByTimeAsync(1_000)
    gaveUp.abort()
    await vi.advanceTimersByTimeAsync(0)
    dispatcher.tellAbandoned()
    for (const { params } of pool.requests) running.add(params['AMQP_EXECUTION_ID'])
  } else {
    for (let n = 0; n < 100 && !drained; n += 1) {
      for (const request of pool.requests.splice(0)) request.complete(answer(200))
      await vi.advanceTimersByTimeAsync(1_000)
    }
  }
  return { broker, counts: counters.counts, told, drained, running }
}

function happen(deed: Deed, broker: ModelBroker, pool: WaitingPool): void {
  switch (deed.what) {
    case 'message':
      if (deed.kind === 'often back') broker.add('{}', { 'x-delivery-count': 10 })
      else broker.add(deed.kind === 'unprocessable' ? 'null' : '{}')
      break
    case 'answer': {
      const [request] = pool.requests.splice(deed.which % Math.max(1, pool.requests.length), 1)
      if (request !== undefined) ANSWERS[deed.how](request)
      break
    }
    case 'sent':
      pool.requests[deed.which]?.onSent()
      break
    case 'session ends':
      broker.endSession()
      break
    case 'publication':
      broker.publications.push(deed.next)
      break
    case 'time':
      break
  }
}

function idsOf(event: BridgeEvent): Omit<Told, 'event'> {
  const about = 'copy' in event && event.copy !== undefined ? event.copy : event
  const ids = 'execution' in about && about.execution !== undefined ? about.execution : about
  return {
    deliveryTag: 'deliveryTag' in ids ? ids.deliveryTag : undefined,
    executionId: 'executionId' in ids ? ids.executionId : undefined,
  }
}
