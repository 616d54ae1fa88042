import { randomBytes } from 'node:crypto'
import type { PoolAddress } from '../fastcgi/address.ts'
import { ConnectQueue } from '../fastcgi/connect-queue.ts'
import { PoolAcquaintance } from '../fastcgi/pool-acquaintance.ts'
import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import { RequestEncoder } from '../fastcgi/request.ts'
import { connectReading, probePool } from '../fastcgi/socket.ts'
import {
  type FastCgiClient,
  FastCgiError,
  type FastCgiErrorCode,
  type FastCgiRequest,
  type FastCgiResponse,
  type Room,
} from '../fastcgi/types.ts'
import { Message } from './message.ts'
import { MessageStream, type StreamEnd } from './message-stream.ts'
import { MOST_AHEAD, Pace } from './pace.ts'
import { LEASE, type StreamLimits } from './stream-limits.ts'

export interface StreamClientOptions {
  readonly address: PoolAddress
  /** Sent with every request. */
  readonly params: Readonly<Record<string, string>>
  /** Requests at a time, and so children of the pool. */
  readonly concurrency: number
  readonly limits: Omit<StreamLimits, 'addressKind'>
  /** The pool's `pm.status_path`. */
  readonly statusPath: string
}

/** A length that no request reaches: php-fpm waits for the rest, and hands out what comes. */
const ENDLESS = 1024 ** 4

const CLOSED = 'the client is closed'

const CONNECT_TIMEOUT = 5_000
const BACKLOG_TIMEOUT = 30_000
/** Milliseconds between two looks at what should have happened by now. */
const TICK = 20
/** Milliseconds for a script to boot: doubled from the first to the second where it takes longer. */
const PATIENCE = { min: 500, max: 60_000 } as const
/** So many scripts in a row may end before they have answered anything, and another one is tried. */
const MAX_DEATHS = 3
/** Milliseconds between two connects while they fail, and streams are there. */
const CONNECT_PAUSE = 100
/** Milliseconds that a message waits for a stream, and no longer while connects fail. */
const LONGEST_WAIT = 1_000

const DEATHS = {
  silent:
    'the script has not said hello, so no message was executed: it must speak the message stream (Worker::run of worker-php does), or --messages-per-request be 1',
  useless: 'the script has said hello, and again and again ended before it executed a message',
} as const

/** Has a pool execute messages, many in a request: a message goes to a stream that has room, or waits for one. */
export class StreamClient implements FastCgiClient, Room {
  readonly #options: StreamClientOptions
  readonly #limits: StreamLimits
  readonly #encoder: RequestEncoder
  readonly #connector: ConnectQueue<ReadingSocket>
  readonly #pool: PoolAcquaintance
  readonly #pace = new Pace()
  readonly #streams = new Set<MessageStream>()
  /** In no stream. */
  readonly #waiting: Message[] = []
  readonly #closed = new AbortController()
  #connecting = 0
  #patience: number = PATIENCE.min
  /** Milliseconds: what a script needs where it gets a child at once. */
  #quickestBoot = Number.POSITIVE_INFINITY
  /** Scripts that have ended before they had answered anything, in a row. */
  #deaths = 0
  /** Why the last connect failed, and when. */
  #failed: { readonly error: FastCgiError; readonly at: number } | undefined
  #pumping = false
  #ticking: NodeJS.Timeout | undefined
  #wake: () => void = () => {}

  constructor(options: StreamClientOptions) {
    this.#options = options
    const { address, params, limits, statusPath } = options
    this.#limits = { ...limits, addressKind: address.kind }
    const common = { ...params, REQUEST_METHOD: 'PUT', CONTENT_TYPE: 'application/octet-stream' }
    this.#encoder = new RequestEncoder({ params: common, endOfStdin: false })
    this.#pool = new PoolAcquaintance(address, statusPath)
    this.#connector = new ConnectQueue({
      address,
      connect: connectReading,
      connectTimeout: CONNECT_TIMEOUT,
      backlogTimeout: BACKLOG_TIMEOUT,
      paced: () => this.#pool.kind !== 'static' && this.#pool.kind !== 'dynamic',
    })
  }

  readonly perSlot = 1 + MOST_AHEAD

  get room(): Room {
    return this
  }

  /** Whether one message more would be sent soon. */
  get isThere(): boolean {
    const now = performance.now()
    const { ahead } = this.#pace
    let room = this.#options.concurrency - this.#streams.size - this.#waiting.length
    for (const stream of this.#streams) room += stream.booting ? 1 : stream.room(ahead, now)
    return room > 0
  }

  open(wake: () => void): void {
    this.#wake = wake
  }

  async probe(): Promise<void> {
    await probePool(this.#options.address, CONNECT_TIMEOUT)
    await this.#pool.meet()
  }

  request(request: FastCgiRequest): Promise<FastCgiResponse> {
    this.#pool.lookAgain()
    const { body } = request
    if (!(body instanceof Uint8Array)) {
      return Promise.reject(failure('INVALID_REQUEST', 'a message is sent whole, not in pieces'))
    }
    if (this.#closed.signal.aborted) return Promise.reject(failure('CANCELLED', CLOSED))
    const message = new Message(request, body)
    this.#waiting.push(message)
    this.#pumpSoon()
    return message.answer
  }

  /** Ends all requests when what is on its way has been answered; what waits fails. Idempotent. */
  close(): void {
    this.#closed.abort()
    for (const stream of this.#streams) stream.end()
    this.#failWaiting(failure('CANCELLED', CLOSED))
  }

  /** Once for all that happens in a turn of the event loop: then what goes to one stream is one write. */
  #pumpSoon(): void {
    if (this.#pumping) return
    this.#pumping = true
    setImmediate(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  #pump(): void {
    const now = performance.now()
    for (let message = this.#waiting[0]; message !== undefined; message = this.#waiting[0]) {
      const stream = this.#bestStream(now)
      if (stream === undefined) break
      this.#waiting.shift()
      const isAhead = !stream.idle
      stream.send(message, now)
      // Another child may be free, and it may have to wait for long here.
      if (isAhead) this.#openOneMore(1)
    }
    this.#openOneMore(this.#waiting.length)
    if (this.#waiting.length > 0) this.#keepTicking()
  }

  /** The one with the fewest messages on their way, of those with room. */
  #bestStream(now: number): MessageStream | undefined {
    const { ahead } = this.#pace
    let best: MessageStream | undefined
    let most = 0
    for (const stream of this.#streams) {
      const room = stream.room(ahead, now)
      if (room > 0 && stream.idle) return stream
      if (room > most) {
        best = stream
        most = room
      }
    }
    return best
  }

  /** @param wanted for so many messages */
  #openOneMore(wanted: number): void {
    if (this.#failed !== undefined && performance.now() - this.#failed.at < CONNECT_PAUSE) return
    let booting = this.#connecting
    for (const stream of this.#streams) if (stream.booting) booting += 1
    const free = this.#options.concurrency - this.#streams.size - this.#connecting
    for (let count = Math.min(free, wanted - booting); count > 0; count -= 1) void this.#open()
  }

  async #open(): Promise<void> {
    this.#connecting += 1
    try {
      const socket = await this.#connector.open(this.#closed.signal)
      this.#failed = undefined
      this.#begin(socket)
    } catch (error) {
      this.#failed = { error: error as FastCgiError, at: performance.now() }
      if (this.#streams.size === 0) this.#failWaiting(this.#failed.error)
    } finally {
      this.#connecting -= 1
    }
  }

  #begin(socket: ReadingSocket): void {
    const nonce = randomBytes(16).toString('hex')
    const params = {
      FPM_BRIDGE_STREAM: '1',
      FPM_BRIDGE_NONCE: nonce,
      FPM_BRIDGE_LEASE: String(LEASE),
    }
    const stream = new MessageStream(socket, this.#encoder.open(params, ENDLESS), nonce, this.#limits, {
      onRoom: () => this.#onRoom(),
      onTaken: (milliseconds) => {
        this.#deaths = 0
        this.#pace.note(milliseconds)
      },
      onGivenBack: (messages) => {
        this.#waiting.unshift(...messages)
        this.#pumpSoon()
      },
      onOver: (end, why) => this.#onOver(stream, end, why),
    })
    this.#streams.add(stream)
    // Those that it was opened for may have been failed since.
    this.#keepTicking()
  }

  #keepTicking(): void {
    this.#ticking ??= setInterval(() => this.#tick(), TICK)
  }

  #onRoom(): void {
    this.#pool.noteAnswer()
    if (this.#waiting.length > 0) this.#pumpSoon()
    this.#wake()
  }

  #onOver(stream: MessageStream, end: StreamEnd, why: string): void {
    this.#streams.delete(stream)
    this.#connector.vacate()
    if (stream.spoken) this.#pool.noteAnswer()
    if (end === 'late') {
      this.#patience = Math.min(Math.max(2 * this.#patience, 2 * stream.bootTime), PATIENCE.max)
    } else if (end !== 'served' && !this.#closed.signal.aborted) this.#onDeath(stream, end, why)
    this.#pumpSoon()
    this.#wake()
  }

  #onDeath({ spoken }: MessageStream, end: 'useless' | 'silent' | 'unread', why: string): void {
    this.#deaths += 1
    // One that was killed says nothing of the script.
    const isCertain = end === 'silent' && spoken
    if (!isCertain && this.#deaths < MAX_DEATHS) return
    this.#deaths = 0
    this.#failWaiting(
      end === 'unread'
        ? failure('CONNECT_FAILED', `the pool has hung up again and again before it read a request (${why})`)
        : failure('NO_HELLO', `${DEATHS[end]} (${why})`),
    )
  }

  #failWaiting(error: FastCgiError): void {
    for (const message of this.#waiting.splice(0)) message.fail(error)
  }

  /** Connects failed, and the streams that were there may be busy for long. */
  #retry(error: FastCgiError, now: number): void {
    const [oldest] = this.#waiting
    if (oldest === undefined) return
    if (now - oldest.askedAt >= LONGEST_WAIT) this.#failWaiting(error)
    else this.#pumpSoon()
  }

  #tick(): void {
    const now = performance.now()
    const { timeout, lifetime } = this.#limits
    if (this.#failed !== undefined) this.#retry(this.#failed.error, now)
    // Beside others it may be waiting for a child.
    const isAlone = ![...this.#streams].some(({ booting }) => !booting)
    const patience = isAlone ? this.#patience : this.#patience + lifetime
    for (const { bootTime } of this.#streams)
      if (bootTime > 0) this.#quickestBoot = Math.min(this.#quickestBoot, bootTime)
    for (const stream of this.#streams) stream.tick(now, patience, this.#quickestBoot)
    while (timeout > 0 && this.#waiting[0] !== undefined && now - this.#waiting[0].askedAt >= timeout) {
      const text = `no child of the pool took the message within ${timeout} ms`
      this.#waiting.shift()?.fail(failure('TIMEOUT', text))
    }
    if (this.#streams.size > 0 || this.#waiting.length > 0) return
    clearInterval(this.#ticking)
    this.#ticking = undefined
  }
}

/** Before any byte of the message was sent. */
function failure(code: FastCgiErrorCode, message: string): FastCgiError {
  return new FastCgiError(code, 'connect', message)
}
