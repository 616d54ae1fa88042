import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import type { EncodedRequest } from '../fastcgi/request.ts'
import type { WorkerFrameType } from './frame-decoder.ts'
import type { Message } from './message.ts'
import { StreamClock } from './stream-clock.ts'
import { StreamConnection } from './stream-connection.ts'
import type { StreamEvents } from './stream-events.ts'
import type { StreamLimits } from './stream-limits.ts'
import { Unanswered } from './unanswered.ts'
import { WorkerStanding } from './worker-standing.ts'
import { WorkerWords } from './worker-words.ts'

/** So often in a row a message may be the next one when its worker takes no more: then that is the fault of the message. */
const MAX_REFUSALS = 3

/** Milliseconds without a word and without a message, after which what was put off is asked for: longer than a delivery takes to come. */
const NOTHING_COMES = 10

/**
 * - `booting`: the script has not said hello;
 * - `doubted`: nor has it after a while. PHP says that a script has ended when it has read all of its body: so that has ended;
 * - `ready`: it takes messages;
 * - `asked`: what was sent ahead goes to others, and the worker will ask before it goes on;
 * - `flushed`: it was told to answer all that it has put off;
 * - `ending`: it takes no more; what is on its way is answered;
 * - `over`.
 */
type State = 'booting' | 'doubted' | 'ready' | 'asked' | 'flushed' | 'ending' | 'over'

/**
 * One FastCGI request that carries many messages, one at a time, and the connection that it has to itself; see docs/protocol.md.
 */
export class MessageStream {
  readonly #connection: StreamConnection
  readonly #words: WorkerWords
  readonly #limits: StreamLimits
  readonly #events: StreamEvents
  readonly #clock: StreamClock
  readonly #unanswered = new Unanswered()
  readonly #worker = new WorkerStanding()
  #state: State = 'booting'
  /** Number of the last message that was answered or put off, which the worker may ask about. */
  #concluded: number | undefined
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
    this.#connection = new StreamConnection(socket, request, {
      addressKind: limits.addressKind,
      onData: (chunk) => this.#receive(chunk),
      onLost: (how) => this.#lose(how),
    })
  }

  get booting(): boolean {
    return this.#state === 'booting'
  }

  /** Whether it takes messages: one may have been the last that it has room for. */
  get ready(): boolean {
    return this.#state === 'ready'
  }

  /** Whether whoever answers there speaks FastCGI. */
  get spoken(): boolean {
    return this.#words.spoken
  }

  /** Milliseconds from the connection to the hello; undefined before that. */
  get bootTime(): number | undefined {
    return this.#clock.bootTime
  }

  /** Whether nothing keeps its worker from taking a message at once. */
  get idle(): boolean {
    return this.#unanswered.onTheirWay === 0
  }

  /**
   * How many messages more it takes now: none before half of its places are free, so that several go in one write.
   *
   * @param ahead how many may be in it behind the one that is executed
   */
  room(ahead: number, now: number): number {
    if (!this.ready) return 0
    // After the lease the worker asks, and drops what was sent ahead.
    const most = this.#clock.isWithinLease(now) ? 1 + ahead : 1
    const free = most - this.#unanswered.onTheirWay
    return free * 2 < most ? 0 : Math.min(free, this.#limits.messages - this.#sent)
  }

  /** Only where it has room. */
  send(message: Message, now: number): void {
    const { body, request } = message
    const { messages, bytes } = this.#limits
    this.#sent += 1
    this.#sentBytes += body.length
    message.enter(this.#sent, now)
    this.#unanswered.add(message)
    this.#connection.message(this.#sent, request.params, body, () => this.#onSent(message))
    if (this.#sent >= messages || this.#sentBytes >= bytes) this.end()
  }

  /** It takes no more messages; what is on its way is answered. Idempotent. */
  end(): void {
    if (!this.#worker.hasSaidHello) this.#lose('the request was given up')
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
    if (!this.#worker.hasSaidHello) {
      this.#awaitHello(this.#clock.age(now), patience)
      return
    }
    const { oldest, onTheirWay } = this.#unanswered
    const silence = this.#clock.silence(now)
    if (oldest !== undefined && this.#clock.isLeaseOver(now)) {
      const isLate = timeout > 0 && now - oldest.askedAt >= timeout
      if (isLate) this.#ifStillSilent(() => this.#timeOut())
      else if (onTheirWay > 1) this.#ifStillSilent(() => this.#takeBackAhead())
    }
    if (this.#state === 'ready' && this.idle && oldest !== undefined && silence >= NOTHING_COMES)
      this.#flush()
    if (this.#clock.isOld(now, quickestBoot) || (oldest === undefined && silence >= idle)) this.end()
    // Of its shutdown functions nobody waits for the answer, but for the child.
    if (this.#state === 'ending' && oldest === undefined && timeout > 0 && silence >= timeout + idle)
      this.#lose(`the script has not ended within ${timeout} ms`)
  }

  #awaitHello(age: number, patience: number): void {
    const { timeout } = this.#limits
    if (this.#state === 'booting' && age >= patience) {
      this.#state = 'doubted'
      this.#connection.end()
    }
    if (timeout > 0 && age >= timeout) this.#lose(`no hello within ${timeout} ms`)
  }

  #onFrame(type: WorkerFrameType, sequence: number, content: Buffer, truncated: boolean): void {
    if (this.#state === 'over') return
    if (!this.#onWord(type, sequence, content, truncated)) {
      this.#worker.noteNonsense()
      this.#lose(`a frame out of order: ${type} ${sequence}`)
    }
  }

  /** @returns whether it may come now */
  #onWord(type: WorkerFrameType, sequence: number, content: Buffer, truncated: boolean): boolean {
    switch (type) {
      case 'H':
        return !this.#worker.hasSaidHello && this.#onHello()
      case 'A':
        return this.#onAnswer(sequence, content, truncated)
      case 'C':
        return this.#onCollected(sequence)
      case 'Q':
        return sequence === this.#concluded && this.#onQuestion(sequence)
      case 'E':
        return !this.#worker.hasSaidLastWord && this.#onLastWord(content)
    }
  }

  #onHello(): true {
    const inTime = this.#state === 'booting'
    this.#events.onHello(this.#clock.noteHello())
    this.#worker.noteHello(inTime)
    this.#state = inTime ? 'ready' : 'ending'
    this.#events.onRoom()
    return true
  }

  #onAnswer(sequence: number, content: Buffer, truncated: boolean): boolean {
    const isCurrent = sequence === this.#unanswered.current?.sequence
    const message = this.#unanswered.take(sequence)
    if (message === undefined) return false
    if (isCurrent) this.#conclude(message)
    else this.#clock.noteWord()
    this.#worker.noteAnswer()
    message.conclude({ content, truncated, stderr: this.#words.takeStderr() })
    if (this.#state === 'flushed' && this.#unanswered.collected === 0) this.#state = 'ready'
    this.#events.onRoom()
    return true
  }

  #onCollected(sequence: number): boolean {
    const message = this.#unanswered.current
    if (message === undefined || !this.#unanswered.collect(sequence)) return false
    this.#conclude(message)
    this.#events.onRoom()
    return true
  }

  /** Its execution is over, or goes on when others have come. */
  #conclude({ sequence, sentAt }: Message): void {
    this.#concluded = sequence
    const began = Math.max(this.#clock.heardAt, sentAt)
    this.#events.onTaken(this.#clock.noteWord() - began)
  }

  /** It has dropped what was sent ahead, and drops what comes before our answer. */
  #onQuestion(sequence: number): true {
    this.#concluded = undefined
    this.#giveBack(this.#unanswered.takeUnbegun())
    this.#clock.noteWord()
    if (this.#state === 'ending') return true
    if (this.#state === 'asked') this.#state = 'ready'
    this.#connection.resume(sequence)
    this.#events.onRoom()
    return true
  }

  /** It executes nothing more. PHP reads all that was sent before it says that the script has ended. */
  #onLastWord(content: Buffer): true {
    const word = this.#worker.noteLastWord(content, this.#state !== 'ending')
    const next = this.#unanswered.current
    if (next !== undefined && next.refused() >= MAX_REFUSALS) {
      this.#unanswered.takeCurrent()
      next.failUnread(`each time it says: ${word}`)
    }
    this.#giveBack(this.#unanswered.takeUnbegun())
    this.#takeNoMore()
    return true
  }

  #takeNoMore(): void {
    this.#state = 'ending'
    this.#connection.end()
  }

  /** No more come for now: nobody is to wait for what they would have made whole. */
  #flush(): void {
    this.#state = 'flushed'
    this.#connection.flush()
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
    this.#giveBack(this.#unanswered.takeAhead())
  }

  #timeOut(): void {
    const { oldest, current } = this.#unanswered
    oldest?.failLate(this.#limits.timeout)
    if (oldest !== undefined) this.#unanswered.take(oldest.sequence)
    if (oldest === current) this.#giveBack(this.#unanswered.takeUnbegun())
    this.#lose('the request was given up')
  }

  #giveBack(messages: readonly Message[]): void {
    if (messages.length > 0) this.#events.onGivenBack(messages)
  }

  #onSent(message: Message): void {
    // Not where it was given back meanwhile.
    if (this.#unanswered.isOnItsWay(message)) message.request.onSent?.()
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
    this.#connection.close(this.#unanswered.oldest === undefined)
    const printed = this.#words.close()
    const said = this.#worker.lastWord ?? printed
    const words = said === '' ? how : `${how}; it said: ${said}`
    const end = this.#worker.endedAs(how === 'ECONNRESET' && !this.spoken)
    for (const message of this.#unanswered.takeCollected()) message.failLost(words)
    const current = this.#unanswered.takeCurrent()
    if (current !== undefined && this.#connection.leftUnread(current.sequence, how)) current.failUnread(how)
    else current?.failLost(words)
    this.#giveBack(this.#unanswered.takeUnbegun())
    this.#events.onOver(end, words)
  }
}
