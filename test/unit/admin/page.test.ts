import { expect, it } from 'vitest'
import { json, type Page, shared } from '../../../src/admin/page.ts'

it('is made once for all who ask meanwhile, and anew for the next', async () => {
  let made = 0
  const page: Page = async () => {
    made += 1
    return json(200, made)
  }
  const ask = shared(page)
  const all = await Promise.all([ask(), ask(), ask()])
  expect(all.map(({ body }) => body)).toEqual(['1\n', '1\n', '1\n'])
  expect((await ask()).body).toBe('2\n')
})

it('that fails does so for those who asked, and no longer', async () => {
  let fails = true
  const ask = shared(() => {
    if (fails) throw new Error('not now')
    return json(200, 'now')
  })
  await expect(Promise.all([ask(), ask()])).rejects.toThrow('not now')
  fails = false
  expect((await ask()).status).toBe(200)
})

it('is not made again and again without a pause, however fast somebody asks', async () => {
  const moments: number[] = []
  const ask = shared(() => {
    moments.push(performance.now())
    return json(200, moments.length)
  })
  for (let n = 0; n < 4; n += 1) await ask()
  const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0))
  // A timer may be a millisecond early.
  expect(Math.min(...pauses)).toBeGreaterThan(45)
})
