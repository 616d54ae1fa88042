import { Socket } from 'node:net'
import { closedAfterTest } from './after-test.ts'
import {
  endRequest,
  listen,
  ReceivedRequest,
  record,
  type Script,
  type ScriptedPool,
  TYPE,
  withId,
} from './scripted-pool.ts'

/** Where the client looks for the kind of the pool. */
export const STATUS_PATH = '/status'

/** The status page of a pool of this kind. */
export const statusPage = (pm: string): string =>
  JSON.stringify({
    pool: 'scripted',
    'process manager': pm,
    'start time': 1,
    'start since': 1,
    'accepted conn': 1,
    'listen queue': 0,
    'max listen queue': 0,
    'listen queue len': 0,
    'idle processes': 1,
    'active processes': 1,
    'total processes': 2,
    'max active processes': 1,
    'max children reached': 0,
    'slow requests': 0,
  })

/** An answer as php-fpm gives it, `hello` unless told otherwise. */
export const answer = (body = 'hello'): Buffer =>
  Buffer.concat([record(TYPE.stdout, `Content-type: text/plain\r\n\r\n${body}`), endRequest()])

/** What the pool does with a request that has arrived whole. `connection` and `turn` on it count from 1. */
export type Turn = (socket: Socket, turn: number, connection: number, request: ReceivedRequest) => void

export interface KeptPool extends ScriptedPool {
  /** Connections that workers' requests came on. */
  readonly connections: number
  /** Those of them that are open. */
  readonly open: number
  readonly sockets: ReadonlySet<Socket>
  /** Questions for the status page whose answer has been taken. */
  readonly told: number
  /** The requests of workers, in the order in which they were whole. */
  readonly received: readonly ReceivedRequest[]
}

/**
 * A static pool that keeps connections open and plays `turn` for each request; closed after the test. Questions for
 * its status page it answers by itself.
 */
export async function keptPool(
  turn: Turn,
  kind: 'unix' | 'tcp' = 'unix',
  status = statusPage('static'),
): Promise<KeptPool> {
  const received: ReceivedRequest[] = []
  let connections = 0
  const sockets = new Set<Socket>()
  let told = 0
  const pool = await listen((socket) => {
    let request = new ReceivedRequest()
    let number = 0
    let turns = 0
    socket.on('data', (chunk: Buffer) => {
      request.take(chunk)
      if (!request.whole) return
      const whole = request
      request = new ReceivedRequest()
      if (whole.params.get('SCRIPT_NAME') === STATUS_PATH) {
        socket.once('close', () => {
          told += 1
        })
        socket.end(answer(status))
        return
      }
      turns += 1
      if (turns === 1) {
        connections += 1
        number = connections
        sockets.add(socket)
        socket.once('close', () => sockets.delete(socket))
      }
      received.push(whole)
      answerAs(socket, whole.id)
      turn(socket, turns, number, whole)
    })
  }, kind)
  closedAfterTest(pool)
  return {
    ...pool,
    received,
    get connections() {
      return connections
    },
    sockets,
    get open() {
      return sockets.size
    },
    get told() {
      return told
    },
  }
}

/** php-fpm answers with the id that it was asked with; the tests write records of request 1. */
function answerAs(socket: Socket, requestId: number): void {
  const write = Socket.prototype.write.bind(socket) as (bytes: Buffer, done?: () => void) => boolean
  socket.write = ((bytes: Buffer, done?: () => void) =>
    write(withId(bytes, requestId), done)) as typeof socket.write
  const end = Socket.prototype.end.bind(socket) as (bytes?: Buffer) => Socket
  socket.end = ((bytes?: Buffer) => end(bytes && withId(bytes, requestId))) as typeof socket.end
}

/** Reads nothing from now on. pause() would read on until Node.js' own buffer is full. */
export function stopReading(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: { readStop(): void } }
  handle.readStop()
}

/** A pool that plays the script on each connection, whatever comes on it; closed after the test. */
export async function rawPool(script: Script, kind: 'unix' | 'tcp' = 'unix'): Promise<ScriptedPool> {
  return closedAfterTest(await listen(script, kind))
}

/** A pool that answers at the first byte, and reads on. */
export const eagerPool = (bytes: Buffer): Promise<ScriptedPool> =>
  rawPool((socket) => void socket.once('data', () => socket.write(bytes)).resume())
