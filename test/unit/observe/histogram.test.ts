import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Histogram } from '../../../src/observe/histogram.ts'

const histogramOf = (values: readonly number[]) => {
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  return histogram.durations
}

it('says nothing of nothing', () => {
  expect(histogramOf([])).toEqual({ count: 0, sum: 0, p50: 0, p95: 0, p99: 0, max: 0 })
})

it('says what one was', () => {
  expect(histogramOf([12.5])).toEqual({ count: 1, sum: 12.5, p50: 12.5, p95: 12.5, p99: 12.5, max: 12.5 })
})

it('is exact of count, sum and max, and at most 2.2 % off of quantiles', () => {
  const durations = fc.array(fc.double({ min: 2 ** -6, max: 2 ** 31 - 1, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  })
  fc.assert(
    fc.property(durations, (values) => {
      const said = histogramOf(values)
      const sorted = values.toSorted((one, two) => one - two)
      const sum = values.reduce((all, value) => all + value, 0)
      expect(said.count).toBe(values.length)
      expect(Math.abs(said.sum - sum)).toBeLessThanOrEqual(0.001)
      expect(Math.abs(said.max - (sorted.at(-1) ?? 0))).toBeLessThanOrEqual(0.001)
      for (const [quantile, share] of [
        [said.p50, 0.5],
        [said.p95, 0.95],
        [said.p99, 0.99],
      ] as const) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
        expect(Math.abs(quantile - exact)).toBeLessThanOrEqual(0.0221 * exact + 0.001)
      }
    }),
  )
})

it.each([[0], [2 ** -10], [2 ** 40]])('takes %d', (value) => {
  expect(histogramOf([value])).toMatchObject({ count: 1, max: Math.round(value * 1_000) / 1_000 })
})
