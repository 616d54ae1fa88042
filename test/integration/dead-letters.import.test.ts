import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { lineRanges, lineText } from '../../src/config/line-ranges.ts'
import { add, type ImportLine } from '../../src/operate/dead-letters/add.ts'
import { runBridge, spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/letter-places.ts'
import { publishAll } from '../support/messages.ts'
import { readyIn } from '../support/queue-counts.ts'

/* Which lines of an export an import takes, and what it says of the others. */

const test = base.extend<{ folder: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which fixtures this one needs.
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'import-'))
    await use(folder)
    rmSync(folder, { recursive: true })
  },
})

const { signal } = new AbortController()

/** More lines than are meant. */
async function* many(read: number[]): AsyncGenerator<ImportLine> {
  for (let number = 1; number <= 100; number += 1) {
    read.push(number)
    yield { number, bytes: Buffer.from(`{"body":"${number}"}`) }
  }
}

test('nothing is read behind the last line that is meant', async ({ broker, queue, at }) => {
  await publishAll(broker, queue, [])
  const read: number[] = []
  const added = await add(at(queue), many(read), lineRanges('2,4-5'), signal)
  expect(added).toEqual({ count: 3, left: [], unsure: [], fault: undefined })
  expect(read).toEqual([1, 2, 3, 4, 5])
})

test('lines that are not there are named, and the others go in', async ({ broker, queue, folder }) => {
  await publishAll(broker, `${queue}.dead`, [])
  const file = join(folder, 'letters.jsonl')
  writeFileSync(file, '{"body":"1"}\n{"body":"2"}\n')
  const where = ['--url', broker.url, '--queue', queue, '--file', file]
  const { code, log } = await runBridge(['dead-letters', 'import', '--lines', '2,7-9,20-', ...where])
  expect(code).toBe(65)
  expect(log.map(({ message }) => message)).toEqual([
    'fpm-bridge: there are no lines 7-9,20-',
    expect.stringContaining('1 dead letters imported'),
  ])
})

test('an import that is stopped says how many are in, and which lines are not', async ({
  broker,
  queue,
  folder,
}) => {
  const dead = `${queue}.dead`
  const lines = 20_000
  await publishAll(broker, dead, [])
  const file = join(folder, 'letters.jsonl')
  const bodies = Array.from({ length: lines }, (_, index) => `{"body":"${'x'.repeat(1_000)}${index}"}\n`)
  writeFileSync(file, bodies.join(''))
  const args = ['dead-letters', 'import', '--url', broker.url, '--queue', queue, '--file', file]
  const bridge = await spawnBridge(args)
  await eventually('some are in', async () => (await readyIn(broker, dead)) > 0, { every: 5 })
  bridge.signal('SIGINT')
  expect(await bridge.exited).toMatchObject({ code: 75 })
  const said = bridge.log.map(({ message }) => message).join('\n')
  const count = Number(/(\d+) dead letters imported/.exec(said)?.[1])
  const left = /import --lines (\S+)/.exec(said)?.[1] ?? ''
  expect(count).toBeGreaterThan(0)
  expect(lineText(lineRanges(left))).toBe(`${count + 1}-`)
  expect(await readyIn(broker, dead)).toBe(count)
})
