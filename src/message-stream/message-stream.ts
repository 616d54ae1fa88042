import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import type { EncodedRequest } from '../fastcgi/request.ts'
import { systemCodeOf } from '../fastcgi/types.ts'
import type { WorkerFrameType } from './frame-decoder.ts'
import type { Message } from './message.ts'
import { StreamClock } from './stream-clock.ts'
import type { StreamEnd, StreamEvents } from './stream-events.ts'
import type { StreamLimits } from './stream-limits.ts'
import { StreamWriter } from './stream-writer.ts'
import { WorkerWords } from './worker-words.ts'

/** Bytes of the worker's last word that are kept. */
const LAST_WORD_BYTES = 512

/** So often in a row a message may be the next one when its worker takes no more: then that is the fault of the message. */
const MAX_REFUSALS = 3

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
export class MessageStream {
  readonly #socket: ReadingSocket
  readonly #writer: StreamWriter
  readonly #words: WorkerWords
  readonly #limits: StreamLimits
  readonly #events: StreamEvents
  readonly #clock: StreamClock
  /** Without an answer, in the order in which they were sent. */
  readonly #onTheirWay: Message[] = []
  #state: State = 'booting'
  #hello: Hello = 'none'
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
    const { maxResponse, maxStderr } = limits
    this.#socket = socket
    this.#limits = limits
    this.#events = events
    this.#clock = new StreamClock(limits)
    this.#words = new WorkerWords({
      nonce,
      maxResponse,
      maxStderr,
      onFrame: (type, sequence, content, truncated) => this.#onFrame(type, sequence, content, truncated),
      onEnd: () => this.#lose('the script has ended'),
    })
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
    return this.#words.spoken
  }

  /** Milliseconds from the connection to the hello; undefined before that. */
  get bootTime(): number | undefined {
    return this.#clock.bootTime
  }

  get idle(): boolean {
    return this.#onTheirWay.length === 0
  }

  /**
   * How many messages more it takes now: none before half of its places are free, so that several go in one write.
   *
   * @param ahead how many may be in it behind the one that is executed
   */
  room(ahead: number, now: number): number {
    if (this.#state !== 'ready') return 0
    // After the lease the worker asks, and drops what was sent ahead.
    const most = this.#clock.isWithinLease(now) ? 1 + ahead : 1
    const free = most - this.#onTheirWay.length
    return free * 2 < most ? 0 : Math.min(free, this.#limits.messages - this.#sent)
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
    if (this.#hello === 'none') this.#lose('the request was given up')
    if (this.#state !== 'over') this.#takeNoMore()
  }

  /**
   * To be called every few milliseconds.
   *
   * @param patience milliseconds for the script's hello
   * @param quickestBoot milliseconds: what it took longer than that it has waited for a child
   */
  tick(now: number, patience: number, quickestBoot: number): void {
    const { idle, timeout } = this.#limits
    if (this.#hello === 'none') {
      this.#awaitHello(this.#clock.age(now), patience)
      return
    }
    const [oldest] = this.#onTheirWay
    const silence = this.#clock.silence(now)
    if (oldest !== undefined && this.#clock.isLeaseOver(now)) {
      const isLate = timeout > 0 && now - oldest.askedAt >= timeout
      if (isLate) this.#ifStillSilent(() => this.#timeOut())
      else if (this.#onTheirWay.length > 1) this.#ifStillSilent(() => this.#takeBackAhead())
    }
    if (this.#clock.isOld(now, quickestBoot) || (this.idle && silence >= idle)) this.end()
    // Of its shutdown functions nobody waits for the answer, but for the child.
    if (this.#state === 'ending' && this.idle && timeout > 0 && silence >= timeout + idle)
      this.#lose(`the script has not ended within ${timeout} ms`)
  }

  #awaitHello(age: number, patience: number): void {
    const { timeout } = this.#limits
    if (this.#state === 'booting' && age >= patience) {
      this.#state = 'doubted'
      this.#writer.end()
    }
    if (timeout > 0 && age >= timeout) this.#lose(`no hello within ${timeout} ms`)
  }

  #onFrame(type: WorkerFrameType, sequence: number, content: Buffer, truncated: boolean): void {
    if (this.#state === 'over') return
    if (type === 'H' && this.#hello === 'none') this.#onHello()
    else if (type === 'A' && sequence === this.#onTheirWay[0]?.sequence) this.#onAnswer(content, truncated)
    else if (type === 'Q' && sequence === this.#answered) this.#onQuestion(sequence)
    else if (type === 'E' && this.#lastWord === undefined) this.#onLastWord(content)
    else this.#onFault(`a frame out of order: ${type} ${sequence}`)
  }

  #onHello(): void {
    this.#events.onHello(this.#clock.noteHello())
    this.#hello = this.#state === 'booting' ? 'said' : 'late'
    this.#state = this.#hello === 'said' ? 'ready' : 'ending'
    this.#events.onRoom()
  }

  #onAnswer(content: Buffer, truncated: boolean): void {
    const message = this.#onTheirWay.shift() as Message
    const began = Math.max(this.#clock.heardAt, message.sentAt)
    this.#answered = message.sequence
    this.#hasAnswered = true
    this.#events.onTaken(this.#clock.noteWord() - began)
    message.conclude({ content, truncated, stderr: this.#words.takeStderr() })
    this.#events.onRoom()
  }

  /** It has dropped what was sent ahead, and drops what comes before our answer. */
  #onQuestion(sequence: number): void {
    this.#answered = undefined
    this.#giveBackAll()
    this.#clock.noteWord()
    if (this.#state === 'ending') return
    this.#state = 'ready'
    this.#writer.resume(sequence)
    this.#events.onRoom()
  }

  /** It executes nothing more. PHP reads all that was sent before it says that the script has ended. */
  #onLastWord(content: Buffer): void {
    this.#isUseless = !this.#hasAnswered && this.#state !== 'ending'
    this.#lastWord = content.toString('utf8', 0, LAST_WORD_BYTES)
    const next = this.#onTheirWay[0]
    if (next !== undefined && next.refused() >= MAX_REFUSALS) {
      this.#onTheirWay.shift()
      next.failUnread(`each time it says: ${this.#lastWord}`)
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
    const { heardAt } = this.#clock
    setImmediate(() => {
      if (this.#state !== 'over' && this.#clock.heardAt === heardAt) act()
    })
  }

  #takeBackAhead(): void {
    if (this.#state === 'ready') this.#state = 'asked'
    this.#giveBack(this.#onTheirWay.splice(1))
  }

  #timeOut(): void {
    this.#onTheirWay.shift()?.failLate(this.#limits.timeout)
    this.#giveBackAll()
    this.#lose('the request was given up')
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
    const fault = this.#words.take(chunk)
    if (fault !== undefined) this.#lose(`the pool does not answer in FastCGI: ${fault}`)
  }

  /** @param how a name of the system's, or words */
  #lose(how: string): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#close()
    const printed = this.#words.close()
    const said = this.#lastWord ?? printed
    const words = said === '' ? how : `${how}; it said: ${said}`
    const end = this.#endOf(how)
    const oldest = this.#onTheirWay.shift()
    if (oldest !== undefined && this.#isUnread(oldest, how)) oldest.failUnread(how)
    else oldest?.failLost(words)
    this.#giveBackAll()
    this.#events.onOver(end, words)
  }

  /** Over TCP what lies unread there would be read after an orderly end, and executed. */
  #close(): void {
    if (this.#limits.addressKind === 'tcp' && !this.idle) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
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
