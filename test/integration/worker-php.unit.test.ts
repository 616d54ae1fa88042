import { describe, expect, test } from 'vitest'
import { runPhpUnit } from '../support/phpunit.ts'

/* The PHPUnit tests of worker-php: each is a test of its own here, so that it counts. */

const { tests, exitCode, output } = await runPhpUnit()

test('PHPUnit has run its tests, and found nothing wrong beside them', () => {
  expect(exitCode, output).toBe(0)
  expect(tests.length).toBeGreaterThan(0)
})

describe.each([...new Set(tests.map((one) => one.class))])('%s', (name) => {
  for (const one of tests.filter((other) => other.class === name)) {
    test(one.name, ({ skip }) => {
      if (one.skipped) skip(output)
      expect(one.failure).toBeUndefined()
    })
  }
})
