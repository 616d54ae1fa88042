import { describe, expect, it } from 'vitest'
import { NUMBER, numberedAs } from '../../../bench/sample.ts'

const sample = (body: string) => ({ body, properties: {} })

describe('a message like one that an application has sent', () => {
  it('has a number of the same length where the sample has it', () => {
    const numbered = numberedAs(sample(`O:4:"Task":1:{s:6:"number";s:${NUMBER.length}:"${NUMBER}";}`))
    expect(numbered(1)).toBe('O:4:"Task":1:{s:6:"number";s:7:"0000001";}')
    expect(numbered(1_234_567)).toBe('O:4:"Task":1:{s:6:"number";s:7:"1234567";}')
  })

  it.each([
    ['none', '{}'],
    ['two', `["${NUMBER}","${NUMBER}"]`],
  ])('cannot be made with %s', (_, body) => {
    expect(() => numberedAs(sample(body))).toThrow(body)
  })
})
