import { Capture } from '../fastcgi/capture.ts'
import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import { RecordDecoder, type RecordSink } from '../fastcgi/records.ts'
import type { EncodedRequest } from '../fastcgi/request.ts'
import { parseResponseHead } from '../fastcgi/response.ts'
import { FastCgiError, systemCodeOf } from '../fastcgi/types.ts'
import { FrameDecoder, type FrameSink, type WorkerFrameType } from './frame-decoder.ts'
import { REQUEST_ID } from './frames.ts'
import type { Message } from './message.ts'
import { LEASE, type StreamLimits } from './stream-limits.ts'
import { StreamWriter } from './stream-writer.ts'

/** Milliseconds beyond the lease, since clocks tick. */
const LEASE_TOLERANCE = 10

/** Bytes of what is printed there, and is no frame, that are kept for the operator. */
const STRAY_BYTES = 512

/** So often in a row a message may be the next one when its worker takes no more: then that is the fault of the message. */
const MAX_REFUSALS = 3

/** The share of its lifetime that a request has however long it has waited for a child. */
const LEAST_LIFE = 0.25

export interface StreamEvents {
  /** It may take more messages than before. */
  onRoom(): void
  /** A message has taken so many milliseconds. */
  onTaken(milliseconds: number): void
  /** None of them has been begun. In their order. */
  onGivenBack(messages: readonly Message[]): void
  /** Told once, at last. `why`: how it ended, with what the script said. */
  onOver(end: StreamEnd, why: string): void
}

/**
 * What a request has come to:
 * - `served`: it was ready for messages, as far as we wanted;
 * - `late`: the hello came when nobody waited for it any more;
 * - `useless`: the script said hello, and then its last word, or nonsense, before it had answered anything;
 * - `silent`: it has ended without a hello;
 * - `unread`: nobody has read the request.
 */
export type StreamEnd = 'served' | 'late' | 'useless' | 'silent' | 'unread'

type Hello = 'none' | 'late' | 'said'

/**
 * - `booting`: the script has not said hello;
 * - `doubted`: nor has it after a while. PHP says that a script has ended when it has read all of its body: so that has ended;
 * - `ready`: it takes messages;
 * - `asked`: what was sent ahead goes to others, and the worker will ask before it goes on;
 * - `ending`: it takes no more; what is on its way is answered;
 * - `over`.
 */
type State = 'booting' | 'doubted' | 'ready' | 'asked' | 'ending' | 'over'

/**
 * One FastCGI request that carries many messages, one at a time, and the connection that it has to itself; see docs/protocol.md. The
 * oldest message without an answer is being executed; those behind it have not been begun.
 */
export class MessageStream implements RecordSink, FrameSink {
  readonly #socket: ReadingSocket
  readonly #writer: StreamWriter
  readonly #limits: StreamLimits
  readonly #events: StreamEvents
  readonly #records = new RecordDecoder(this, REQUEST_ID)
  readonly #frames: FrameDecoder
  readonly #openedAt = performance.now()
  /** Without an answer, in the order in which they were sent. */
  readonly #onTheirWay: Message[] = []
  readonly #stray = new Capture(STRAY_BYTES)
  #stderr: Capture
  #state: State = 'booting'
  #hello: Hello = 'none'
  /** When the worker's last word came that its lease counts from. */
  #heardAt = this.#openedAt
  /** When the hello came. */
  #readyAt = this.#openedAt
  /** Number of the last answer, which the worker may ask about. */
  #answered: number | undefined
  #hasAnswered = false
  /** Whether it has ended by itself, or talked nonsense, and has given no answer before. */
  #isUseless = false
  #lastWord: string | undefined
  #sent = 0
  #sentBytes = 0

  /** @param nonce the one in the params of the request */
  constructor(
    socket: ReadingSocket,
    request: EncodedRequest,
    nonce: string,
    limits: StreamLimits,
    events: StreamEvents,
  ) {
    this.#socket = socket
    this.#limits = limits
    this.#events = events
    this.#frames = new FrameDecoder(nonce, limits.maxResponse, this)
    this.#stderr = new Capture(limits.maxStderr)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('end', () => this.#lose('EOF'))
    socket.on('error', (error) => this.#lose(systemCodeOf(error) ?? error.message))
    socket.on('close', () => this.#lose('EOF'))
    this.#writer = new StreamWriter(socket, request)
  }

  get booting(): boolean {
    return this.#state === 'booting'
  }

  /** Whether whoever answers there speaks FastCGI. */
  get spoken(): boolean {
    return this.#records.spoken
  }

  /** Milliseconds from the connection to the hello; 0 before that. */
  get bootTime(): number {
    return this.#readyAt - this.#openedAt
  }

  get idle(): boolean {
    return this.#onTheirWay.length === 0
  }

  /**
   * How many messages more it takes now.
   *
   * @param ahead how many may be in it behind the one that is executed
   */
  room(ahead: number, now: number): number {
    if (this.#state !== 'ready') return 0
    // After the lease the worker asks, and drops what was sent ahead.
    const most = now - this.#heardAt < LEASE ? 1 + ahead : 1
    return Math.min(most - this.#onTheirWay.length, this.#limits.messages - this.#sent)
  }

  /** Only where it has room. */
  send(message: Message, now: number): void {
    const { body, request } = message
    const { messages, bytes } = this.#limits
    this.#sent += 1
    this.#sentBytes += body.length
    message.enter(this.#sent, now)
    this.#onTheirWay.push(message)
    this.#writer.message(this.#sent, request.params, body, () => this.#onSent(message))
    if (this.#sent >= messages || this.#sentBytes >= bytes) this.end()
  }

  /** It takes no more messages; what is on its way is answered. Idempotent. */
  end(): void {
    if (this.#hello === 'none') this.destroy()
    if (this.#state !== 'over') this.#takeNoMore()
  }

  /**
   * To be called every few milliseconds.
   *
   * @param patience milliseconds for the script's hello
   * @param quickestBoot milliseconds: what it took longer than that it has waited for a child
   */
  tick(now: number, patience: number, quickestBoot: number): void {
    const { lifetime, idle, timeout } = this.#limits
    const silence = now - this.#heardAt
    const oldest = this.#onTheirWay[0]
    if (this.#state === 'booting' && now - this.#openedAt >= patience) {
      this.#state = 'doubted'
      this.#writer.end()
    }
    if (this.#hello === 'none') {
      if (timeout > 0 && now - this.#openedAt >= timeout) this.#lose(`no hello within ${timeout} ms`)
      return
    }
    if (oldest !== undefined && silence >= LEASE + LEASE_TOLERANCE) {
      const isLate = timeout > 0 && now - oldest.askedAt >= timeout
      if (isLate) this.#ifStillSilent(() => this.#timeOut())
      else if (this.#onTheirWay.length > 1) this.#ifStillSilent(() => this.#takeBackAhead())
    }
    // Where requests wait for a child, those of others do, too: each gets it for a shorter time.
    const longest = Math.max(lifetime - Math.max(0, this.bootTime - quickestBoot), lifetime * LEAST_LIFE)
    if (now - this.#readyAt >= longest || (this.idle && silence >= idle)) this.end()
    // Of its shutdown functions nobody waits for the answer, but for the child.
    if (this.#state === 'ending' && this.idle && timeout > 0 && silence >= timeout + idle)
      this.#lose(`the script has not ended within ${timeout} ms`)
  }

  /** What is on its way is lost from sight. Idempotent. */
  destroy(): void {
    this.#lose('the request was given up')
  }

  stdout(piece: Buffer): void {
    this.#frames.write(piece)
  }

  stderr(piece: Buffer): void {
    this.#stderr.take(piece)
  }

  endRequest(): void {
    this.#lose('the script has ended')
  }

  stray(piece: Buffer): void {
    this.#stray.take(piece)
  }

  frame(type: WorkerFrameType, sequence: number, content: Buffer, truncated: boolean): void {
    if (this.#state === 'over') return
    if (type === 'H' && this.#hello === 'none') this.#onHello()
    else if (type === 'A' && sequence === this.#onTheirWay[0]?.sequence) this.#onAnswer(content, truncated)
    else if (type === 'Q' && sequence === this.#answered) this.#onQuestion(sequence)
    else if (type === 'E' && this.#lastWord === undefined) this.#onLastWord(content)
    else this.#onFault(`a frame out of order: ${type} ${sequence}`)
  }

  #onHello(): void {
    this.#heardAt = performance.now()
    this.#readyAt = this.#heardAt
    this.#hello = this.#state === 'booting' ? 'said' : 'late'
    this.#state = this.#hello === 'said' ? 'ready' : 'ending'
    this.#events.onRoom()
  }

  #onAnswer(content: Buffer, truncated: boolean): void {
    const message = this.#onTheirWay.shift() as Message
    const now = performance.now()
    this.#answered = message.sequence
    this.#hasAnswered = true
    this.#events.onTaken(now - Math.max(this.#heardAt, message.sentAt))
    this.#heardAt = now
    message.conclude({ content, truncated, stderr: this.#stderr })
    if (!this.#stderr.isEmpty) this.#stderr = new Capture(this.#limits.maxStderr)
    this.#events.onRoom()
  }

  /** It has dropped what was sent ahead, and drops what comes before our answer. */
  #onQuestion(sequence: number): void {
    this.#answered = undefined
    this.#giveBackAll()
    this.#heardAt = performance.now()
    if (this.#state === 'ending') return
    this.#state = 'ready'
    this.#writer.resume(sequence)
    this.#events.onRoom()
  }

  /** It executes nothing more. PHP reads all that was sent before it says that the script has ended. */
  #onLastWord(content: Buffer): void {
    this.#isUseless = !this.#hasAnswered && this.#state !== 'ending'
    this.#lastWord = content.toString('utf8', 0, STRAY_BYTES)
    const next = this.#onTheirWay[0]
    if (next !== undefined && next.refused() >= MAX_REFUSALS) {
      this.#onTheirWay.shift()
      next.fail(leftUnread(`each time it says: ${this.#lastWord}`))
    }
    this.#giveBackAll()
    this.#takeNoMore()
  }

  #onFault(what: string): void {
    this.#isUseless = !this.#hasAnswered
    this.#lose(what)
  }

  #takeNoMore(): void {
    this.#state = 'ending'
    this.#writer.end()
  }

  /** Not before all has been read that the worker has written by now: docs/protocol.md says why that matters. */
  #ifStillSilent(act: () => void): void {
    const heardAt = this.#heardAt
    setImmediate(() => {
      if (this.#state !== 'over' && this.#heardAt === heardAt) act()
    })
  }

  #takeBackAhead(): void {
    if (this.#state === 'ready') this.#state = 'asked'
    this.#giveBack(this.#onTheirWay.splice(1))
  }

  #timeOut(): void {
    const text = `no complete answer within ${this.#limits.timeout} ms`
    this.#onTheirWay.shift()?.fail(new FastCgiError('TIMEOUT', 'receive', text))
    this.#giveBackAll()
    this.destroy()
  }

  #giveBackAll(): void {
    this.#giveBack(this.#onTheirWay.splice(0))
  }

  #giveBack(messages: readonly Message[]): void {
    if (messages.length > 0) this.#events.onGivenBack(messages)
  }

  #onSent(message: Message): void {
    // Not where it was given back meanwhile.
    if (this.#onTheirWay.includes(message)) message.request.onSent?.()
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'over') return
    const fault = this.#records.write(chunk)
    if (fault !== undefined) this.#lose(`the pool does not answer in FastCGI: ${fault}`)
  }

  /** @param how a name of the system's, or words */
  #lose(how: string): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#socket.destroy()
    this.#frames.end()
    const stderr = this.#stderr.text().trim()
    const said = this.#lastWord ?? (stderr === '' ? describeStray(this.#stray.bytes()) : stderr)
    const end = this.#endOf(how)
    const oldest = this.#onTheirWay.shift()
    oldest?.fail(this.#isUnread(oldest, how) ? leftUnread(how) : lost(how, stderr))
    this.#giveBackAll()
    this.#events.onOver(end, said === '' ? how : `${how}; it said: ${said}`)
  }

  #endOf(how: string): StreamEnd {
    if (this.#hello === 'late') return 'late'
    if (this.#hello === 'none') return how === 'ECONNRESET' && !this.spoken ? 'unread' : 'silent'
    return this.#isUseless ? 'useless' : 'served'
  }

  /** On a Unix socket the kernel says so, of what was sent last: see Connection. That may be one that was given back meanwhile. */
  #isUnread({ sequence }: Message, how: string): boolean {
    if (sequence !== this.#writer.last || this.#limits.addressKind !== 'unix') return false
    return how === 'ECONNRESET' || this.#writer.peerGone
  }
}

/** Where it is an ordinary answer, as that of a script that does not speak the message stream. */
function describeStray(stray: Buffer): string {
  const head = parseResponseHead(stray)
  if (head === undefined) return stray.toString().trim()
  return `status ${head.status} ${stray.toString('utf8', head.bodyOffset).trim()}`.trim()
}

function leftUnread(how: string): FastCgiError {
  return new FastCgiError('NOT_READ', 'unread', `the worker was gone before it read the message (${how})`)
}

function lost(how: string, stderr: string): FastCgiError {
  const said = stderr === '' ? '' : `; it said: ${stderr}`
  const text = `the worker was gone before it had answered the message: ${how}${said}`
  return new FastCgiError('CONNECTION_LOST', 'receive', text)
}
