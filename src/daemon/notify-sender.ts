import { type ChildProcess, spawn } from 'node:child_process'
import type { Log } from '../observe/logger.ts'
import type { ServiceEnvironment } from './service-environment.ts'

type Assignments = Readonly<Record<string, string>>

/** Of these, each has its place in the order of messages. */
const STATES = ['READY', 'RELOADING', 'STOPPING']

/** Milliseconds that systemd-notify may take: it waits up to 5 s until systemd has read the message, so that it knows whom it is from. */
const TIMEOUT = 10_000

/** Milliseconds until what did not get through is sent again. */
const RETRY = 5_000

/** Milliseconds that the end of a process waits for its last message. */
const LAST = 2_000

/** Bytes that are kept of what systemd-notify says about a failure. */
const COMPLAINT = 500

/**
 * Sends messages of sd_notify(3) one after the other. Node.js has no Unix datagrams, so each takes a process of systemd-notify; what
 * comes meanwhile becomes one message, but for changes of state. What does not get through is sent again.
 */
export class NotifySender {
  readonly #environment: ServiceEnvironment
  readonly #log: Log
  /** The first one is on its way. */
  #queue: Assignments[] = []
  #sending: ChildProcess | undefined
  #retry: NodeJS.Timeout | undefined
  #isHeard = true
  #hasProgram = true
  #isClosed = false
  #onIdle: () => void = () => {}

  constructor(environment: ServiceEnvironment, log: Log) {
    this.#environment = environment
    this.#log = log
  }

  send(assignments: Assignments): void {
    if (!this.#hasProgram || this.#isClosed) return
    const last = this.#queue.at(-1)
    const isOnItsWay = this.#sending !== undefined && this.#queue.length === 1
    if (last === undefined || isOnItsWay || (hasState(last) && hasState(assignments)))
      this.#queue.push(assignments)
    else this.#queue.splice(-1, 1, { ...last, ...assignments })
    if (this.#retry === undefined) this.#next()
  }

  /** Resolves when all is sent, or after 2 s. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    if (this.#queue.length === 0) return
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, LAST)
      this.#onIdle = () => {
        clearTimeout(late)
        resolve()
      }
      this.#next()
    })
  }

  #next(): void {
    const [message] = this.#queue
    if (this.#sending !== undefined) return
    if (message === undefined) this.#onIdle()
    else this.#run(message)
  }

  #run(message: Assignments): void {
    const { socket, searchPath } = this.#environment
    const words = Object.entries(message).map(([name, value]) => `${name}=${value}`)
    let complaint = ''
    try {
      const child: ChildProcess = spawn('systemd-notify', ['--', ...words], {
        env: { NOTIFY_SOCKET: socket, ...(searchPath !== undefined && { PATH: searchPath }) },
        // The folder that the daemon was started in may be gone.
        cwd: '/',
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: TIMEOUT,
      })
      this.#sending = child
      child.once('error', (error) => this.#end(error))
      // Without a free file descriptor there is none.
      child.stderr?.on('error', () => {})
      child.stderr?.on('data', (text) => {
        complaint = `${complaint}${text}`.slice(0, COMPLAINT)
      })
      child.once('close', (code, signal) => {
        const how = code === null ? `ended by ${signal}` : `exit code ${code}`
        this.#end(code === 0 ? undefined : new Error(complaint.trim() || how))
      })
    } catch (error) {
      this.#end(error as Error)
    }
  }

  /** Of one that cannot be started Node.js tells twice. */
  #end(error: NodeJS.ErrnoException | undefined): void {
    if (this.#queue.length === 0 || !this.#hasProgram) return
    this.#sending = undefined
    if (error === undefined) {
      this.#queue.shift()
      if (!this.#isHeard) this.#log.info('The service manager is told again how this process does.')
      this.#isHeard = true
      this.#next()
    } else this.#fail(error)
  }

  #fail({ code, message }: NodeJS.ErrnoException): void {
    if (code === 'ENOENT' || code === 'EACCES') {
      this.#hasProgram = false
      this.#queue = []
      this.#log.warn(
        'The service manager is not told how this process does: there is no systemd-notify. Install it, or use Type=exec and no WatchdogSec.',
        { code },
      )
    } else {
      if (this.#isHeard)
        this.#log.warn('The service manager is not told how this process does.', { reason: message })
      this.#isHeard = false
    }
    if (this.#isClosed || !this.#hasProgram) this.#onIdle()
    else
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined
        this.#next()
      }, RETRY).unref()
  }
}

function hasState(assignments: Assignments): boolean {
  return STATES.some((name) => name in assignments)
}
