import { Dispatcher } from '../../../src/bridge/dispatcher.ts'
import type { AckMode, OutgoingMessage } from '../../../src/bridge/ports.ts'
import { Settlement } from '../../../src/bridge/settle.ts'
import {
  type FastCgiBody,
  type FastCgiClient,
  FastCgiError,
  type FastCgiRequest,
  type FastCgiResponse,
} from '../../../src/fastcgi/client.ts'
import { config, RecordingDelivery, recordingLog } from './recording.ts'

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

export function answer(status: number, stderr = ''): FastCgiResponse {
  return {
    status,
    stderr,
    body: Buffer.alloc(0),
    headers: new Map(),
    bodyTruncated: false,
    stderrTruncated: false,
    appStatus: 0,
    timings: { connect: 0, firstByte: 1, total: 2 },
  }
}

export const connectFailure = (): FastCgiError => new FastCgiError('CONNECT_FAILED', 'connect', 'no socket')
export const sendFailure = (): FastCgiError => new FastCgiError('SEND_FAILED', 'send', 'broken off')
export const connectionLost = (): FastCgiError =>
  new FastCgiError('CONNECTION_LOST', 'receive', 'the connection ended')

/** A dispatcher on such a pool, with a publisher that takes everything. */
export function dispatcherOf(concurrency = 2, ack: AckMode = 'dispatched') {
  const pool = new WaitingPool()
  const log = recordingLog()
  const published: OutgoingMessage[] = []
  const publisher = {
    publish: async (message: OutgoingMessage) => {
      published.push(message)
    },
  }
  const settlement = new Settlement(config, publisher, new AbortController().signal)
  const dispatcher = new Dispatcher({ ...config, concurrency, ack }, pool, settlement, log)
  const deliver = (body = '{}') => {
    const delivery = new RecordingDelivery({ body })
    dispatcher.accept(delivery)
    return delivery
  }
  return { pool, log, published, dispatcher, deliver }
}
