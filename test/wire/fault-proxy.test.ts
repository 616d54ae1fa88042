import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { freePorts } from '../support/ports.ts'

/* The links of the chaos suite, broken in each way, before a server that sends back what it gets. */

/** Milliseconds in which a byte would have come back. */
const A_WHILE = 100

const closers: (() => unknown)[] = []
let proxy: FaultProxy

beforeEach(async () => {
  const server = createServer((socket) => {
    closers.push(() => socket.destroy())
    socket.on('error', () => {}).pipe(socket)
  })
  const [target, port] = (await freePorts(2)) as [number, number]
  await once(server.listen(target, '127.0.0.1'), 'listening')
  closers.push(() => server.close())
  proxy = await startFaultProxy(port, target)
  closers.push(() => proxy.close())
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A connection that keeps what it is sent. */
async function client() {
  const socket = connect(proxy.port, '127.0.0.1')
  const seen = { text: '', error: undefined as string | undefined, closed: false }
  socket.on('data', (chunk) => {
    seen.text += chunk
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.error = error.code
  })
  socket.on('close', () => {
    seen.closed = true
  })
  closers.push(() => socket.destroy())
  await once(socket, 'connect')
  return { socket, seen }
}

async function echoes({ socket, seen }: Awaited<ReturnType<typeof client>>): Promise<void> {
  const expected = `${seen.text}x`
  socket.write('x')
  await eventually('it comes back', () => seen.text === expected)
}

test('passes on what it gets, and the end of it', async () => {
  const one = await client()
  await echoes(one)
  one.socket.end()
  await eventually('it is closed', () => one.seen.closed)
  expect(one.seen.error).toBeUndefined()
})

test('reset: RST on what there is, and new connections work', async () => {
  const one = await client()
  await echoes(one)
  proxy.reset()
  await eventually('it is reset', () => one.seen.error === 'ECONNRESET')
  await echoes(await client())
})

test('freeze: nothing passes and nobody is told; new connections work; what was held up arrives in the end', async () => {
  const one = await client()
  await echoes(one)
  proxy.freeze()
  one.socket.write('late')
  await sleep(A_WHILE)
  expect(one.seen).toEqual({ text: 'x', error: undefined, closed: false })
  await echoes(await client())
  await proxy.heal()
  await eventually('it arrives', () => one.seen.text === 'xlate')
})

test('silence: new connections are accepted and not served, until it heals', async () => {
  proxy.silence()
  const one = await client()
  one.socket.write('hello')
  await sleep(A_WHILE)
  expect(one.seen).toEqual({ text: '', error: undefined, closed: false })
  await proxy.heal()
  await eventually('it arrives', () => one.seen.text === 'hello')
})

test('refuse: nobody listens, until it heals; what there is lives on', async () => {
  const one = await client()
  await proxy.refuse()
  await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await echoes(one)
  await proxy.heal()
  await echoes(await client())
})

test('a server that is away: the connection is closed', async () => {
  const [port, nobody] = (await freePorts(2)) as [number, number]
  const lonely = await startFaultProxy(port, nobody)
  closers.push(() => lonely.close())
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'close')
})
