import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { expressionsOf, type Panel, readDashboard } from '../support/dashboard.ts'

/* docker/grafana/fpm-bridge.json. What its queries return is tested in test/integration/prometheus.queries.test.ts. */

const dashboard = readDashboard()
const expressions = expressionsOf(dashboard)
const documented = [
  ...readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8').matchAll(
    /`((?:fpm_bridge|phpfpm)_\w+)`/g,
  ),
].map(([, name = '']) => name)

it('can be imported again and again: it has a uid, and no id of one Grafana', () => {
  expect([dashboard.uid, dashboard.id]).toEqual(['fpm-bridge', null])
  // Grafana 10 and later; it brings older ones up to date itself.
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39)
})

it('asks the data source that is chosen', () => {
  expect(dashboard.templating.list[0]).toMatchObject({
    name: 'datasource',
    type: 'datasource',
    query: 'prometheus',
  })
  const others = dashboard.panels.filter(
    ({ type, datasource }) => type !== 'row' && !/^\$\{datasource\}$/.test(datasource?.uid ?? ''),
  )
  expect(others).toEqual([])
})

it('has no panel over another one, and no id twice', () => {
  const ids = dashboard.panels.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const overlaps = dashboard.panels.flatMap((one, index) =>
    dashboard.panels
      .slice(index + 1)
      .filter((other) => overlap(one, other))
      .map(({ title }) => `${one.title}, ${title}`),
  )
  expect(overlaps).toEqual([])
  expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
})

it('uses each variable that it has, and no other one', () => {
  const names = dashboard.templating.list.map(({ name }) => name)
  const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('__'))
  expect([...new Set(used)].toSorted()).toEqual(names.toSorted())
})

it('filters each metric by job, instance and, where it has one, by queue', () => {
  for (const [title, expression] of expressions) {
    for (const [, name = '', labels = ''] of expression.matchAll(
      /((?:fpm_bridge|phpfpm|process|nodejs)_\w+)(\{[^}]*\})?/g,
    )) {
      const hasQueue = name.startsWith('fpm_bridge_') && !/^fpm_bridge_(?:build_info|process_)/.test(name)
      const filter = `{job=~"$job", instance=~"$instance"${hasQueue ? ', queue=~"$queue"' : ''}`
      expect([title, name, labels]).toEqual([title, name, expect.stringContaining(filter)])
    }
  }
})

it('shows every metric of our own that is documented', () => {
  const all = expressions.map(([, expression]) => expression).join('\n')
  const ours = documented.filter((name) => name.startsWith('fpm_bridge_'))
  expect(ours.length).toBeGreaterThan(12)
  expect([...new Set(ours)].filter((name) => !all.includes(name))).toEqual([])
})

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}
