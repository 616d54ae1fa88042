import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { spawnOwned } from '../support/owned-process.ts'

/* Whoever reads the output has the time that it needs, and may be left all the same. */

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

test('the first signal ends the wait for whoever reads no more', async ({ broker, queue }) => {
  await publishAll(broker, `${queue}.dead`, ['x'.repeat(2_000_000)], { messageId: 'm' })
  const args = ['dead-letters', 'show', 'm', '--json', '--url', broker.url, '--queue', queue]
  const { PATH, HOME } = process.env
  const owned = await spawnOwned(process.execPath, [program, ...args], {
    env: { PATH, HOME },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const { stdout, stderr } = owned.child
    let said = ''
    stderr?.on('data', (text) => {
      said += text
    })
    // It is shown when all is done; so much of it as fits is taken.
    await new Promise((resolve) => stdout?.once('readable', resolve))
    owned.signal('SIGINT')
    const exit = await eventually('it ends', () => owned.exit)
    stdout?.resume()
    expect(exit).toEqual({ code: 75, signal: null })
    expect(said).toContain('not all of the output has been read')
  } finally {
    await owned.kill()
  }
})
