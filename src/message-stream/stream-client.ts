import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import {
  type FastCgiClient,
  FastCgiError,
  type FastCgiErrorCode,
  type FastCgiRequest,
  type FastCgiResponse,
  type Room,
} from '../fastcgi/types.ts'
import { Message } from './message.ts'
import type { MessageStream } from './message-stream.ts'
import { MOST_AHEAD, Pace } from './pace.ts'
import { ScriptAcquaintance } from './script-acquaintance.ts'
import type { StreamEnd } from './stream-events.ts'
import { StreamOpener, type StreamOpenerOptions } from './stream-opener.ts'

export interface StreamClientOptions extends StreamOpenerOptions {
  /** Requests at a time, and so children of the pool. */
  readonly concurrency: number
}

const CLOSED = 'the client is closed'

/** Milliseconds between two looks at what should have happened by now. */
const TICK = 10
/** Milliseconds between two connects while they fail, and streams are there. */
const CONNECT_PAUSE = 100
/** Milliseconds that a message waits for a stream, and no longer while connects fail. */
const LONGEST_WAIT = 1_000

/** Has a pool execute messages, many in a request: a message goes to a stream that has room, or waits for one. */
export class StreamClient implements FastCgiClient, Room {
  readonly #options: StreamClientOptions
  readonly #opener: StreamOpener
  readonly #script = new ScriptAcquaintance()
  readonly #pace = new Pace()
  readonly #streams = new Set<MessageStream>()
  /** In no stream. */
  readonly #waiting: Message[] = []
  readonly #closed = new AbortController()
  #connecting = 0
  /** Why the last connect failed, and when. */
  #failed: { readonly error: FastCgiError; readonly at: number } | undefined
  #pumping = false
  #ticking: NodeJS.Timeout | undefined
  #wake: () => void = () => {}

  constructor(options: StreamClientOptions) {
    this.#options = options
    this.#opener = new StreamOpener(options)
  }

  /** Those on their way, and as many that were put off. */
  readonly perSlot = 2 * (1 + MOST_AHEAD)

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

  probe(): Promise<void> {
    return this.#opener.probe()
  }

  request(request: FastCgiRequest): Promise<FastCgiResponse> {
    this.#opener.lookAgain()
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

  /** Once for all that one read has brought: then what goes to one stream is one write. */
  #pumpSoon(): void {
    if (this.#pumping) return
    this.#pumping = true
    process.nextTick(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  #pump(): void {
    const now = performance.now()
    const open = this.#withRoom(now)
    for (const [index, { stream, room }] of open.entries()) {
      const share = Math.ceil(this.#waiting.length / (open.length - index))
      for (let left = Math.min(room, share); left > 0 && stream.ready; left -= 1) {
        // Another child may be free, and it may have to wait for long here.
        if (!stream.idle) this.#openFor(1)
        stream.send(this.#waiting.shift() as Message, now)
      }
    }
    this.#openFor(this.#waiting.length)
    if (this.#waiting.length > 0) this.#keepTicking()
  }

  /** Those with the fewest messages on their way first. */
  #withRoom(now: number): { readonly stream: MessageStream; readonly room: number }[] {
    const { ahead } = this.#pace
    return [...this.#streams]
      .map((stream) => ({ stream, room: stream.room(ahead, now) }))
      .filter(({ room }) => room > 0)
      .sort((a, b) => b.room - a.room)
  }

  /** @param wanted so many messages, each of which may need a stream of its own */
  #openFor(wanted: number): void {
    if (this.#failed !== undefined && performance.now() - this.#failed.at < CONNECT_PAUSE) return
    let booting = this.#connecting
    for (const stream of this.#streams) if (stream.booting) booting += 1
    const free = this.#options.concurrency - this.#streams.size - this.#connecting
    for (let count = Math.min(free, wanted - booting); count > 0; count -= 1) void this.#open()
  }

  async #open(): Promise<void> {
    this.#connecting += 1
    try {
      const socket = await this.#opener.connect(this.#closed.signal)
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
    const stream = this.#opener.begin(socket, {
      onHello: (milliseconds) => this.#script.noteBoot(milliseconds),
      onRoom: () => this.#onRoom(),
      onTaken: (milliseconds) => {
        this.#script.noteAnswer()
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
    this.#opener.noteAnswer()
    if (this.#waiting.length > 0) this.#pumpSoon()
    this.#wake()
  }

  #onOver(stream: MessageStream, end: StreamEnd, why: string): void {
    this.#streams.delete(stream)
    this.#opener.noteEnd(stream)
    if (end === 'late') this.#script.noteLateBoot(stream.bootTime ?? 0)
    else if (end !== 'served' && !this.#closed.signal.aborted) {
      const error = this.#script.noteDeath(end, stream.spoken, why)
      if (error !== undefined) this.#failWaiting(error)
    }
    this.#pumpSoon()
    this.#wake()
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
    const { timeout, lifetime } = this.#options.limits
    if (this.#failed !== undefined) this.#retry(this.#failed.error, now)
    // Beside others it may be waiting for a child.
    const isAlone = ![...this.#streams].some(({ booting }) => !booting)
    const patience = this.#script.patience + (isAlone ? 0 : lifetime)
    for (const stream of this.#streams) stream.tick(now, patience, this.#script.quickestBoot)
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
