import { randomBytes } from 'node:crypto'
import type { PoolAddress } from '../fastcgi/address.ts'
import { BACKLOG_TIMEOUT, CONNECT_TIMEOUT, ConnectQueue } from '../fastcgi/connect-queue.ts'
import { PoolAcquaintance } from '../fastcgi/pool-acquaintance.ts'
import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import { RequestEncoder } from '../fastcgi/request.ts'
import { connectReading, probePool } from '../fastcgi/socket.ts'
import { MessageStream } from './message-stream.ts'
import type { StreamEvents } from './stream-events.ts'
import { LEASE, type StreamLimits } from './stream-limits.ts'

export interface StreamOpenerOptions {
  readonly address: PoolAddress
  /** Sent with every request. */
  readonly params: Readonly<Record<string, string>>
  readonly limits: Omit<StreamLimits, 'addressKind'>
  /** The pool's `pm.status_path`. */
  readonly statusPath: string
}

/** A length that no request reaches: php-fpm waits for the rest, and hands out what comes. */
const ENDLESS = 1024 ** 4

/** Connects to a pool, and begins the requests that carry messages. */
export class StreamOpener {
  readonly #address: PoolAddress
  readonly #limits: StreamLimits
  readonly #encoder: RequestEncoder
  readonly #connector: ConnectQueue<ReadingSocket>
  readonly #pool: PoolAcquaintance

  constructor({ address, params, limits, statusPath }: StreamOpenerOptions) {
    this.#address = address
    this.#limits = { ...limits, addressKind: address.kind }
    // PHP would read the body of a POST before it runs the script.
    const common = { ...params, REQUEST_METHOD: 'PUT', CONTENT_TYPE: 'application/octet-stream' }
    this.#encoder = new RequestEncoder({ params: common, endOfStdin: false })
    this.#pool = new PoolAcquaintance(address, statusPath)
    this.#connector = new ConnectQueue({
      address,
      connect: connectReading,
      connectTimeout: CONNECT_TIMEOUT,
      backlogTimeout: BACKLOG_TIMEOUT,
      paced: () => this.#pool.mayGrow,
    })
  }

  /** @throws {FastCgiError} with phase `connect` */
  async probe(): Promise<void> {
    await probePool(this.#address, CONNECT_TIMEOUT)
    await this.#pool.meet()
  }

  /** Asks in the background what kind of pool it is, when it is time to. */
  lookAgain(): void {
    this.#pool.lookAgain()
  }

  /**
   * @param signal gives up
   * @throws {FastCgiError} CONNECT_FAILED
   */
  connect(signal: AbortSignal): Promise<ReadingSocket> {
    return this.#connector.open(signal)
  }

  begin(socket: ReadingSocket, events: StreamEvents): MessageStream {
    const nonce = randomBytes(16).toString('hex')
    const params = {
      FPM_BRIDGE_STREAM: '1',
      FPM_BRIDGE_NONCE: nonce,
      FPM_BRIDGE_LEASE: String(LEASE),
    }
    return new MessageStream(socket, this.#encoder.open(params, ENDLESS), nonce, this.#limits, events)
  }

  /** Somebody there has answered in FastCGI. */
  noteAnswer(): void {
    this.#pool.noteAnswer()
  }

  /** A stream is over, and its child free. */
  noteEnd({ spoken }: MessageStream): void {
    this.#connector.vacate()
    if (spoken) this.#pool.noteAnswer()
  }
}
