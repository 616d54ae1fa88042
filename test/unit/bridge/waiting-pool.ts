import { Dispatcher } from '../../../src/bridge/dispatcher.ts'
import type {
  BridgePolicy,
  MessageProperties,
  OutgoingMessage,
  Publisher,
} from '../../../src/bridge/ports.ts'
import { Settlement } from '../../../src/bridge/settlement.ts'
import type {
  FastCgiBody,
  FastCgiClient,
  FastCgiError,
  FastCgiRequest,
  FastCgiResponse,
} from '../../../src/fastcgi/types.ts'
import { connectFailure } from './answers.ts'
import { config, FailingPublisher, RecordingDelivery, RecordingIntake, recordingLog } from './recording.ts'

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
) {
  const pool = new WaitingPool()
  const log = recordingLog()
  const intake = new RecordingIntake()
  const gaveUp = new AbortController()
  const policy = { ...config, ...given }
  const settlement = new Settlement(policy, publisher, intake, gaveUp.signal, log)
  const dispatcher = new Dispatcher(policy, pool, settlement, intake, log)
  const deliver = (body = '{}', properties: MessageProperties = {}) => {
    const delivery = new RecordingDelivery({ body, properties })
    dispatcher.accept(delivery)
    return delivery
  }
  return { pool, log, intake, gaveUp, published: publisher.tried ?? [], dispatcher, deliver }
}
