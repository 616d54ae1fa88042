import { expect, it } from 'vitest'
import { read, section } from './page.ts'

/* docs/operating.md says what to do about each alert, and about each log line that is worth one. */

const page = read('docs/operating.md')
const quotedIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted)

it('has each line that is worth an alert', () => {
  const worth = [...section(read('docs/logs.md'), 'Lines worth an alert').matchAll(/^\| `(.+?)` \|/gm)]
  const lines = worth.map(([, line = '']) => line)
  expect(lines.length).toBeGreaterThan(20)
  const told = quotedIn(section(page, 'Log lines'))
  const without = lines.filter((line) => !told.includes(line))
  expect(without).toEqual([])
})

it('has each alert, and no other', () => {
  const rules = [...read('docker/prometheus/fpm-bridge.rules.yml').matchAll(/- alert: (\w+)/g)]
  const alerts = rules.map(([, alert = '']) => alert)
  expect(alerts.length).toBeGreaterThan(10)
  const told = quotedIn(section(page, 'Alerts')).filter((quoted) => quoted.startsWith('FpmBridge'))
  expect(told.toSorted()).toEqual(alerts.toSorted())
})

it('has metrics that there are', () => {
  const told = quotedIn(section(page, 'Metrics')).filter((quoted) => /^(?:fpm_bridge|phpfpm)_/.test(quoted))
  expect(told.length).toBeGreaterThan(10)
  const metrics = read('docs/metrics.md')
  expect(told.filter((metric) => !metrics.includes(`\`${metric}\``))).toEqual([])
})
