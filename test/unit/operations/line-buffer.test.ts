import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'

const before = process.listeners('exit')
const { LineBuffer } = await import('../../../src/operations/line-buffer.ts')
const exitListeners = () => process.listeners('exit').filter((listener) => !before.includes(listener))

/** What a target was given, write by write. */
class Target extends Writable {
  readonly writes: string[] = []

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(chunk.toString())
    done()
  }
}

function buffered() {
  const target = new Target()
  return { target, lines: new LineBuffer(target) }
}

describe('lines', () => {
  it('of one moment are one write, in their order', async () => {
    const { target, lines } = buffered()
    for (const line of ['a', 'ü', '€']) lines.add(line)
    expect(target.writes).toEqual([])
    await sleep(200)
    expect(target.writes).toEqual(['a\nü\n€\n'])
    lines.add('later')
    await sleep(200)
    expect(target.writes).toEqual(['a\nü\n€\n', 'later\n'])
  })

  it('that are many do not wait', () => {
    const { target, lines } = buffered()
    const line = 'x'.repeat(1_023)
    for (let count = 1; count <= 40; count += 1) lines.add(line)
    expect(target.writes.map((text) => text.length)).toEqual([16 * 1_024, 16 * 1_024])
    lines.flush()
    expect(target.writes.join('')).toBe(`${line}\n`.repeat(40))
  })

  it('that wait when the process exits are written, of any number of buffers by one listener', () => {
    const buffers = Array.from({ length: 20 }, buffered)
    for (const { lines } of buffers) lines.add('last words')
    expect(exitListeners()).toHaveLength(1)
    for (const listener of exitListeners()) listener.call(process, 0)
    for (const { target } of buffers) expect(target.writes).toEqual(['last words\n'])
  })

  it('are written once', async () => {
    const { target, lines } = buffered()
    lines.add('once')
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
