import { spawn } from 'node:child_process'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../../support/eventually.ts'

const before = process.listeners('exit')
const { LineBuffer } = await import('../../../src/observe/line-buffer.ts')
const exitListeners = () => process.listeners('exit').filter((listener) => !before.includes(listener))

/** What a target was given, write by write. */
class Target extends Writable {
  readonly writes: string[] = []

  /** Nobody reads while there is one: it takes the next write. */
  #stalled: (() => void) | undefined
  #stall = false

  stall(): void {
    this.#stall = true
  }

  goOn(): void {
    this.#stall = false
    this.#stalled?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(chunk.toString())
    if (this.#stall) this.#stalled = done
    else done()
  }
}

function buffered() {
  const target = new Target()
  const dropped: number[] = []
  return { target, dropped, lines: new LineBuffer(target, (lines) => dropped.push(lines)) }
}

afterEach(() => void vi.useRealTimers())

describe('lines', () => {
  it('wait for nobody after a quiet time, and for 50 ms after others', () => {
    vi.useFakeTimers()
    const { target, lines } = buffered()
    for (const line of ['a', 'b']) lines.add(line, false)
    vi.advanceTimersByTime(0)
    expect(target.writes).toEqual(['a\nb\n'])
    for (const line of ['c', 'd']) lines.add(line, false)
    vi.advanceTimersByTime(49)
    expect(target.writes).toEqual(['a\nb\n'])
    vi.advanceTimersByTime(1)
    expect(target.writes).toEqual(['a\nb\n', 'c\nd\n'])
    vi.advanceTimersByTime(50)
    lines.add('e', false)
    vi.advanceTimersByTime(0)
    expect(target.writes).toEqual(['a\nb\n', 'c\nd\n', 'e\n'])
  })

  it('of one moment are one write, in their order', async () => {
    const { target, lines } = buffered()
    for (const line of ['a', 'ü', '€']) lines.add(line, false)
    expect(target.writes).toEqual([])
    await sleep(200)
    expect(target.writes).toEqual(['a\nü\n€\n'])
    lines.add('later', false)
    await sleep(200)
    expect(target.writes).toEqual(['a\nü\n€\n', 'later\n'])
  })

  it('of a process that has nothing else to do are written all the same', async () => {
    const program = `
      import { createServer } from 'node:net'
      import { LineBuffer } from ${JSON.stringify(fileURLToPath(new URL('../../../src/observe/line-buffer.ts', import.meta.url)))}
      const lines = new LineBuffer(process.stdout, () => {})
      const add = () => {
        lines.add('here', false)
        process.stderr.write('added')
      }
      createServer().listen(0, '127.0.0.1', () => setTimeout(add, 50))`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program])
    try {
      await eventually('it is added', () => child.stderr.read())
      // Without a cause of its own it would wait for some event of Node.js, seconds later.
      const line = await eventually('it is written', () => child.stdout.read(), { within: 4_000 })
      expect(String(line)).toBe('here\n')
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('that are many do not wait', () => {
    const { target, lines } = buffered()
    const line = 'x'.repeat(1_023)
    for (let count = 1; count <= 40; count += 1) lines.add(line, false)
    expect(target.writes.map((text) => text.length)).toEqual([16 * 1_024, 16 * 1_024])
    lines.flush()
    expect(target.writes.join('')).toBe(`${line}\n`.repeat(40))
  })

  it('that wait when the process exits are written, of any number of buffers by one listener', () => {
    const buffers = Array.from({ length: 20 }, buffered)
    for (const { lines } of buffers) lines.add('last words', false)
    expect(exitListeners()).toHaveLength(1)
    for (const listener of exitListeners()) listener.call(process, 0)
    for (const { target } of buffers) expect(target.writes).toEqual(['last words\n'])
  })

  it('are written once', async () => {
    const { target, lines } = buffered()
    lines.add('once', false)
    lines.flush()
    for (const listener of exitListeners()) listener.call(process, 0)
    await sleep(100)
    expect(target.writes).toEqual(['once\n'])
  })

  it('are nothing when there are none', () => {
    const { target, lines } = buffered()
    lines.flush()
    expect(target.writes).toEqual([])
  })
})

describe('lines that nobody reads', () => {
  const MIB = 1024 ** 2
  const line = 'x'.repeat(1_023)
  const fill = (lines: InstanceType<typeof LineBuffer>, count: number, important = false) => {
    for (let n = 0; n < count; n += 1) lines.add(line, important)
    lines.flush()
  }

  it('are kept up to a bound, and counted from there on; the count is told when they are read', () => {
    const { target, dropped, lines } = buffered()
    target.stall()
    fill(lines, 5_000)
    expect(target.writableLength).toBeLessThan(1.1 * MIB)
    expect(dropped).toEqual([])
    target.goOn()
    const written = target.writes.join('').split('\n').length - 1
    expect(dropped).toEqual([5_000 - written])
    expect(written).toBeGreaterThan(1_000)
  })

  it('are kept longer when they are important', () => {
    const { target, lines } = buffered()
    target.stall()
    fill(lines, 5_000)
    const before = target.writableLength
    lines.add('important', true)
    lines.flush()
    expect(target.writableLength).toBeGreaterThan(before)
    fill(lines, 5_000, true)
    expect(target.writableLength).toBeLessThan(2.1 * MIB)
  })

  it('are dropped in one stretch, not each other one', () => {
    const { target, dropped, lines } = buffered()
    target.stall()
    fill(lines, 5_000)
    // A slow reader: one write is taken, and the target stands still again.
    const { length } = target.writes
    target.goOn()
    expect(target.writes.length).toBeGreaterThan(length)
    target.stall()
    fill(lines, 100)
    expect(dropped).toHaveLength(1)
  })

  it('leave no trace when there was room for all', () => {
    const { target, dropped, lines } = buffered()
    target.stall()
    fill(lines, 500)
    target.goOn()
    fill(lines, 500)
    expect([dropped, target.writes.join('').length]).toEqual([[], 1_000 * 1_024])
  })
})

describe('lines beside those of other processes', () => {
  it('are written whole, in pieces that a pipe takes at once or not at all', async () => {
    // As a socket does where several writes wait.
    const target = new (class extends Target {
      override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
        this.writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString())
        done()
      }
    })()
    const lines = new LineBuffer(target, () => {}, true)
    const written = Array.from({ length: 500 }, (_, index) => `${index} ${'ü'.repeat(index)}`)
    target.stall()
    for (const line of written) lines.add(line, true)
    lines.flush()
    target.goOn()
    await sleep(200)
    for (const write of target.writes) {
      expect(write.endsWith('\n')).toBe(true)
      expect(Buffer.byteLength(write)).toBeLessThanOrEqual(4_096)
    }
    expect(target.writes.join('')).toBe(`${written.join('\n')}\n`)
    expect(target.writes.length).toBeLessThan(100)
  })
})
