import { expect, it } from 'vitest'
import { TextReport } from '../../../src/commands/check/report.ts'
import { findingsOf } from '../../../src/operate/check/finding.ts'

const { passed, failed, unknown } = findingsOf('script', '/srv/worker.php')

it('has a heading for each subject, and remedies below', () => {
  const report = new TextReport(false)
  const lines = [
    passed('found', 'the pool runs it'),
    failed('answers', 'configuration', 'it answers 500', 'mend it'),
    findingsOf('php', 'commands').passed('opcache', 'it is on'),
  ].flatMap((finding) => report.linesOf(finding))
  expect(lines).toEqual([
    'script: /srv/worker.php',
    '  ok    found                     the pool runs it',
    '  FAIL  answers                   it answers 500',
    '        -> mend it',
    'php: commands',
    '  ok    opcache                   it is on',
  ])
  expect(report.summary).toBe('2 passed, 0 warned, 1 failed, 0 could not be looked at')
})

it('has colours of its own alone: what a worker says is escaped', () => {
  const report = new TextReport(true)
  const [heading, line] = report.linesOf(unknown('answers', 'it says \u001b[31mred\u202e'))
  expect(heading).toBe('\u001b[1mscript: /srv/worker.php\u001b[22m')
  expect(line).toContain('it says \\u001b[31mred\\u202e')
  expect(line?.startsWith('  \u001b[36m?     \u001b[39m')).toBe(true)
})
