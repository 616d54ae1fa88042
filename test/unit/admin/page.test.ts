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
