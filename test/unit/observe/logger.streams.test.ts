import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../../../src/observe/logger.ts'

/* Streams that nobody reads, and such as fail. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a stream that nobody reads', () => {
  it.each(['json', 'text'] as const)('costs lines, and a line in %s says how many', (format) => {
    const written: string[] = []
    let goOn = () => {}
    let stalled = true
    const stream = new Writable({
      decodeStrings: false,
      write(chunk, _, done) {
        written.push(String(chunk))
        if (stalled) goOn = done
        else done()
      },
    })
    const log = createLogger({ level: 'info', format, stream, fields: {} })
    for (let n = 1; n <= 10_000; n += 1) log.info(`Line ${n}.`, { text: 'x'.repeat(1_000) })
    stalled = false
    goOn()
    vi.runAllTimers()
    const lines = written.join('').trimEnd().split('\n')
    const missing = 10_000 - (lines.length - 1)
    expect(missing).toBeGreaterThan(5_000)
    expect(lines.at(-1)).toMatch(new RegExp(`nobody read the log.*lines"?[:=]${missing}`))
  })
})

describe('a stream that fails', () => {
  const create = (stream: Writable) => createLogger({ level: 'info', format: 'json', stream, fields: {} })

  it.each([
    ['as a full disk does', new Writable({ write: (_, __, done) => done(new Error('ENOSPC')) })],
    ['as a closed pipe does', new Writable().destroy()],
  ])('%s costs its lines and nothing else', async (_, stream) => {
    const log = create(stream)
    for (let n = 0; n < 100; n += 1) log.error('Lost.')
    await new Promise((resolve) => setImmediate(resolve))
    expect(() => log.error('Lost, too.')).not.toThrow()
    expect(stream.destroyed).toBe(true)
  })
})
