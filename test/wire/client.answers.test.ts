import { describe, expect, it } from 'vitest'
import { RECORDED, RECORDED_RESPONSE } from '../support/recorded-answer.ts'
import { answer, eagerPool, keptPool, rawPool, type Turn } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'
import { endRequest, record, streamOf, TYPE } from './scripted-pool.ts'

/* What pools say that are broken, or none. After each of these the next request is answered as if nothing had been. */

const stdout = (content: string) => record(TYPE.stdout, content)
const foreign = (type: number, id: number) => Buffer.from([1, type, id >> 8, id & 255, 0, 0, 0, 0])
const hello = (): Buffer => answer()

/** Plays `first` for the first request, and answers the others. */
function afterwards(first: Turn): Turn {
  let begun = false
  return (socket, ...rest) => {
    if (begun) socket.write(hello())
    else first(socket, ...rest)
    begun = true
  }
}

async function goesOn(client: ReturnType<typeof clientOf>): Promise<void> {
  expect((await client.request(request())).body.toString()).toBe('hello')
}

describe('an answer', () => {
  it.each<[string, Buffer, number, string]>([
    ['without a Status line', stdout('A: 1\r\n\r\nbody'), 200, 'body'],
    ['with an empty header block', stdout('\r\nbody'), 200, 'body'],
    ['with a status that is none', stdout('Status: abc\r\n\r\nbody'), Number.NaN, 'body'],
    ['with a status out of range', stdout('Status: 999\r\n\r\nbody'), 999, 'body'],
    [
      'with 200 KB of headers',
      streamOf(TYPE.stdout, Buffer.from(`${'X-Header: 12345678\r\n'.repeat(10_000)}\r\nbody`)),
      200,
      'body',
    ],
    ['in records of one byte', streamOf(TYPE.stdout, Buffer.from('A: 1\r\n\r\nbody'), 1), 200, 'body'],
    ['with an end of its streams', Buffer.concat([stdout('\n'), stdout(''), record(TYPE.stderr)]), 200, ''],
  ])('%s is one', async (_, records, status, body) => {
    const pool = await keptPool(
      afterwards((socket) => void socket.write(Buffer.concat([records, endRequest()]))),
    )
    const client = clientOf(pool)
    const response = await client.request(request())
    expect([response.status, response.body.toString()]).toEqual([status, body])
    await goesOn(client)
    expect(pool.connections).toBe(1)
  })

  it('recorded from php-fpm, a byte at a time, is the same', async () => {
    const pool = await keptPool(
      afterwards((socket) => {
        const writeFrom = (at: number): void => {
          socket.write(RECORDED.subarray(at, at + 1))
          if (at + 1 < RECORDED.length) setImmediate(writeFrom, at + 1)
        }
        writeFrom(0)
      }),
    )
    const client = clientOf(pool)
    expect(await client.request(request())).toMatchObject(RECORDED_RESPONSE)
    await goesOn(client)
  })

  it('is not mixed up with others that come in pieces meanwhile', async () => {
    const textOf = (letter: string) => `${letter.repeat(500_000)}.`
    const pool = await keptPool((socket, _turn, _connection, { stdin }) => {
      const text = textOf(stdin.toString())
      socket.write(streamOf(TYPE.stderr, Buffer.from(text.slice(-1_000))))
      socket.write(streamOf(TYPE.stdout, Buffer.from(`\n${text}`)))
      socket.write(endRequest())
    })
    const client = clientOf(pool)
    const expectText = async (letter: string): Promise<void> => {
      const { body, stderr } = await client.request(request({ body: Buffer.from(letter) }))
      expect(body.toString() === textOf(letter), `body of ${letter}`).toBe(true)
      expect(stderr).toBe(textOf(letter).slice(-1_000))
    }
    await Promise.all(['a', 'b', 'c'].map(expectText))
    expect(pool.connections).toBe(3)
  })

  it('that comes before the request was read is one, and its connection is not used again', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024)
    let sent = 0
    const pool = await eagerPool(hello())
    const eager = clientOf(pool)
    const response = await eager.request(request({ body, onSent: () => (sent += 1) }))
    expect(response.status).toBe(200)
    expect(sent).toBeLessThanOrEqual(1)
    expect((await eager.request(request({ body }))).status).toBe(200)
    expect(pool.requests.length).toBeGreaterThanOrEqual(2)
  })
})

describe('no answer', () => {
  it.each<[string, Buffer, string]>([
    ['the refusal of a pool that is overloaded', endRequest(2), 'REQUEST_REFUSED'],
    ['a refusal with output', Buffer.concat([stdout('\nx'), endRequest(1)]), 'REQUEST_REFUSED'],
    ['an end alone', endRequest(), 'EMPTY_ANSWER'],
    ['a body without a head', Buffer.concat([stdout('hello'), endRequest()]), 'MALFORMED_ANSWER'],
    ['a record of another request', foreign(TYPE.stdout, 2), 'MALFORMED_ANSWER'],
    ['a record of request 0', foreign(TYPE.stdout, 0), 'MALFORMED_ANSWER'],
    ['a record of an unknown type', foreign(99, 1), 'MALFORMED_ANSWER'],
    ['an endRequest of another size', record(TYPE.end, 'four'), 'MALFORMED_ANSWER'],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), 'MALFORMED_ANSWER'],
    ['garbage', Buffer.alloc(64 * 1024, 0xff), 'MALFORMED_ANSWER'],
    ['a good beginning and garbage', Buffer.concat([stdout('\nx'), Buffer.alloc(8)]), 'MALFORMED_ANSWER'],
  ])('is %s', async (_, bytes, code) => {
    let sent = 0
    const client = clientOf(await keptPool(afterwards((socket) => void socket.write(bytes))))
    const error = await failureOf(client.request(request({ onSent: () => (sent += 1) })))
    expect([error.code, error.phase, sent]).toEqual([code, 'receive', 1])
    await goesOn(client)
  })

  it('is what comes with the connection, before the request', async () => {
    const pool = await rawPool((socket) => void socket.write('220 ready\r\n'))
    const error = await failureOf(clientOf(pool).request(request()))
    expect([error.code, error.phase]).toEqual(['NO_FASTCGI', 'connect'])
  })

  it('is HTTP from one who says nothing to the question for the status page', async () => {
    const http = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
    const pool = await rawPool((socket, received) => {
      socket.on('data', (chunk: Buffer) => {
        received.take(chunk)
        if (received.params.get('REQUEST_METHOD') === 'POST') socket.end(http)
      })
    })
    const error = await failureOf(clientOf(pool).request(request()))
    expect([error.code, error.phase]).toEqual(['NO_FASTCGI', 'connect'])
  })

  it('is one that does not begin', async () => {
    const client = clientOf(await keptPool(afterwards((socket) => void socket.destroy())))
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECTION_LOST', 'receive', 'EOF'])
    await goesOn(client)
  })

  it.each<[string, Buffer]>([
    ['in its head', RECORDED.subarray(0, 50)],
    ['in a record header', RECORDED.subarray(0, 35)],
    ['without endRequest', RECORDED.subarray(0, -16)],
    ['in endRequest', RECORDED.subarray(0, -1)],
  ])('is one that breaks off %s', async (_, bytes) => {
    const client = clientOf(await keptPool(afterwards((socket) => void socket.end(bytes))))
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECTION_LOST', 'receive', 'EOF'])
    await goesOn(client)
  })

  it('is a reset', async () => {
    const client = clientOf(
      await keptPool(
        afterwards((socket) => void socket.resetAndDestroy()),
        'tcp',
      ),
    )
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECTION_LOST', 'receive', 'ECONNRESET'])
    await goesOn(client)
  })

  it('is a byte a second, when the time is over', async () => {
    const pool = await keptPool((socket) => {
      let at = 0
      const timer = setInterval(() => socket.write(RECORDED.subarray(at, ++at)), 100)
      socket.once('close', () => clearInterval(timer))
    })
    const error = await failureOf(clientOf(pool, { timeout: 450 }).request(request()))
    expect([error.code, error.phase]).toEqual(['TIMEOUT', 'receive'])
  })
})
