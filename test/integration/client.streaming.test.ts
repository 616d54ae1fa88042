import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { test } from '../support/fixtures.ts'
import { behaveScript } from '../support/pool-client.ts'

const MEBIBYTE = 1024 * 1024
const run = promisify(execFile)
const program = fileURLToPath(new URL('../support/stream-body.ts', import.meta.url))
const tsx = fileURLToPath(new URL('../../node_modules/.bin/tsx', import.meta.url))

test('a body of 256 MiB from a stream arrives, and takes no memory', async ({ ownPool }) => {
  const pool = await ownPool({ children: 1, ini: { post_max_size: '512M', memory_limit: '600M' } })
  const { stdout } = await run(tsx, [program, pool.socket, '256', behaveScript])
  const { answer, grown } = JSON.parse(stdout) as { answer: Record<string, unknown>; grown: number }
  const hash = createHash('sha256')
  const piece = Buffer.alloc(64 * 1024, 'abcdefg')
  for (let at = 0; at < 256 * MEBIBYTE; at += piece.length) hash.update(piece)
  expect(answer).toMatchObject({ length: 256 * MEBIBYTE, sha256: hash.digest('hex') })
  expect(grown).toBeLessThan(32 * MEBIBYTE)
})
