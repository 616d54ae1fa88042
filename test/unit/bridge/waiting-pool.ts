import { Domain } from '../../../src/bridge/domain.ts'
import type { Tell } from '../../../src/bridge/events.ts'
import type { Gate } from '../../../src/bridge/gates/gate.ts'
import type {
  BridgePolicy,
  MessageProperties,
  OutgoingMessage,
  Publisher,
} from '../../../src/bridge/ports.ts'
import type {
  FastCgiBody,
  FastCgiClient,
  FastCgiError,
  FastCgiRequest,
  FastCgiResponse,
} from '../../../src/fastcgi/types.ts'
import { Counters } from '../../../src/observe/counters.ts'
import { connectFailure } from '../../support/answers.ts'
import {
  config,
  FailingPublisher,
  RecordingDelivery,
  RecordingIntake,
  recordingEvents,
} from '../../support/recording.ts'

/** A request that waits for the test to say what becomes of it. */
export interface WaitingRequest {
  readonly params: Readonly<Record<string, string>>
  readonly body: Buffer
  onSent(): void
  succeed(response: FastCgiResponse): void
  /** Sent whole, then answered. */
  complete(response: FastCgiResponse): void
  fail(error: FastCgiError): void
}

/** A pool whose answers are the test's. */
export class WaitingPool implements FastCgiClient {
  readonly requests: WaitingRequest[] = []
  /** Whether a probe finds nobody. */
  away = false

  request({ params, body, onSent = () => {} }: FastCgiRequest): Promise<FastCgiResponse> {
    return new Promise((resolve, reject) => {
      this.requests.push({
        params,
        body: wholeBody(body),
        onSent,
        succeed: resolve,
        complete(response) {
          onSent()
          resolve(response)
        },
        fail: reject,
      })
    })
  }

  async probe(): Promise<void> {
    if (this.away) throw connectFailure()
  }

  close(): void {}
}

function wholeBody(body: FastCgiBody): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body)
  throw new Error('the bridge sends whole bodies')
}

/** A dispatcher on such a pool, with a publisher that takes everything unless it is told otherwise. */
export function dispatcherOf(
  given: Partial<BridgePolicy> = {},
  publisher: Publisher & { readonly tried?: readonly OutgoingMessage[] } = new FailingPublisher(),
  gates: readonly Gate[] = [],
) {
  const pool = new WaitingPool()
  const events = recordingEvents()
  const counters = new Counters()
  const intake = new RecordingIntake()
  const gaveUp = new AbortController()
  const policy = { ...config, ...given }
  const tell: Tell = (event) => {
    events.tell(event)
    counters.count(event)
  }
  const domain = new Domain(policy, { client: pool, publisher, intake, tell, signal: gaveUp.signal }, gates)
  const { dispatcher } = domain
  const deliver = (body = '{}', properties: MessageProperties = {}) => {
    const delivery = new RecordingDelivery({ body, properties })
    dispatcher.accept(delivery)
    return delivery
  }
  const published = publisher.tried ?? []
  return { pool, events, counters, intake, gaveUp, published, domain, dispatcher, deliver }
}
