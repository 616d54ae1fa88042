import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { LineBuffer } from '../../../src/operations/line-buffer.ts'

/** What a target was given, write by write. */
class Target extends Writable {
  readonly writes: string[] = []

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(chunk.toString())
    done()
  }
}

const before = process.listeners('exit')
afterEach(() => {
  for (const listener of process.listeners('exit')) {
    if (!before.includes(listener)) process.off('exit', listener)
  }
})

function buffered() {
  const target = new Target()
  return { target, lines: new LineBuffer(target) }
}

describe('lines', () => {
  it('of one moment are one write, in their order', async () => {
    const { target, lines } = buffered()
    for (const line of ['a\n', 'ü\n', '€\n']) lines.write(line)
    expect(target.writes).toEqual([])
    await sleep(200)
    expect(target.writes).toEqual(['a\nü\n€\n'])
    lines.write('later\n')
    await sleep(200)
    expect(target.writes).toEqual(['a\nü\n€\n', 'later\n'])
  })

  it('that are many do not wait', () => {
    const { target, lines } = buffered()
    const line = `${'x'.repeat(1_023)}\n`
    for (let count = 1; count <= 40; count += 1) lines.write(line)
    expect(target.writes.map((text) => text.length)).toEqual([16 * 1_024, 16 * 1_024])
    lines.flush()
    expect(target.writes.join('')).toBe(line.repeat(40))
  })

  it('that wait when the process exits are written', () => {
    const { target, lines } = buffered()
    lines.write('last words\n')
    process.listeners('exit').at(-1)?.call(process, 0)
    expect(target.writes).toEqual(['last words\n'])
  })

  it('are nothing when there are none', () => {
    const { target, lines } = buffered()
    lines.flush()
    expect(target.writes).toEqual([])
  })
})
