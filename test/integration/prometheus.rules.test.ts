import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { installedProgram } from '../support/installed.mjs'
import { prometheusFolder } from '../support/prometheus.ts'
import { temporaryFolder } from '../support/run-folder.ts'

/* docker/prometheus, by promtool's word. */

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

const run = promisify(execFile)
const promtool = (cwd: string, ...args: readonly string[]) => run(installedProgram('promtool'), args, { cwd })
const read = (name: string) => readFileSync(join(prometheusFolder, name), 'utf8')
const rules: readonly Rule[] = parse(read('fpm-bridge.rules.yml')).groups.flatMap(
  ({ rules }: { rules: readonly Rule[] }) => rules,
)

describe('promtool', () => {
  it('accepts the example of a configuration, and the rules that it names', async () => {
    const { stdout } = await promtool(prometheusFolder, 'check', 'config', 'prometheus.yml')
    expect(stdout).toContain(`${rules.length} rules found`)
  })

  it('sees each alert fire where it should, and only there', async () => {
    await promtool(prometheusFolder, 'test', 'rules', 'fpm-bridge.rules.test.yml')
  })

  it('would see one that does not', async () => {
    const folder = temporaryFolder('rules')
    cpSync(prometheusFolder, folder, { recursive: true })
    const broken = read('fpm-bridge.rules.yml').replace(
      '(fpm_bridge_hold) > 0\n        for: 2m',
      '(fpm_bridge_hold) > 1\n        for: 2m',
    )
    writeFileSync(join(folder, 'fpm-bridge.rules.yml'), broken)
    const { stderr } = await promtool(folder, 'test', 'rules', 'fpm-bridge.rules.test.yml').catch(
      (error: { stderr: string }) => error,
    )
    expect(stderr).toMatch(/FAILED:\s+expr: .*FpmBridgeHolds.*time: 5m/)
  })
})

it('tests each alert, both ways', () => {
  const tests = read('fpm-bridge.rules.test.yml')
  const fires = (alert: string, way: RegExp) =>
    new RegExp(`alertname="${alert}"[^\\n]*\\n?[^-]*?${way.source}`).test(tests)
  const untested = rules.filter(
    ({ alert }) => !fires(alert, /exp_samples: \[\]/) || !fires(alert, /exp_samples:\n/),
  )
  expect(untested.map(({ alert }) => alert)).toEqual([])
})

it.each(rules)('$alert says how bad it is, what it means, and what to do', ({ labels, annotations }) => {
  expect(['critical', 'warning']).toContain(labels.severity)
  expect(annotations.summary).toMatch(/\S.*\.$/)
  expect(annotations.runbook.length).toBeGreaterThan(60)
})

it('names no metric of ours that is not documented', () => {
  const documented = readFileSync(join(prometheusFolder, '../../docs/metrics.md'), 'utf8')
  const named = rules.flatMap(({ expr }) => expr.match(/(?:fpm_bridge|phpfpm)_\w+/g) ?? [])
  const unknown = named.filter((name) => !documented.includes(name.replace(/_(?:bucket|count|sum)$/, '')))
  expect(unknown).toEqual([])
})
