import { expect, it } from 'vitest'
import { shownBody, textOf } from '../../../../src/commands/invoke/body-text.ts'

it('shows text as it is, and escapes what a terminal would obey', () => {
  expect(shownBody(Buffer.from('a\tb\r\nc\u001b[31m\rd\u202ee\n'))).toBe(
    'a\tb\r\nc\\u001b[31m\\u000dd\\u202ee\n',
  )
})

it('shows what is no text as a dump, of which the beginning is enough', () => {
  expect(shownBody(Buffer.from([0xff, 0x41, 0x1b]))).toBe(`00000000  ff 41 1b${' '.repeat(41)}.A.`)
  const lines = shownBody(Buffer.alloc(5_000)).split('\n')
  expect(lines).toHaveLength(4_096 / 16 + 1)
  expect(lines.at(-1)).toBe('... 904 bytes more')
})

it('shows the first MiB of a text, and no half character', () => {
  const shown = shownBody(Buffer.from(`a${'é'.repeat(1024 ** 2)}`))
  expect(shown.slice(0, 2)).toBe('aé')
  expect(shown.slice(-26)).toBe(`é\n... 1048577 bytes more`.padStart(26, 'é'))
  expect(shown).not.toContain('\ufffd')
})

it('takes nothing for text that has a NUL or is not UTF-8', () => {
  expect([textOf(Buffer.from('é')), textOf(Buffer.from('\0')), textOf(Buffer.from([0xc3]))]).toEqual([
    'é',
    undefined,
    undefined,
  ])
})
