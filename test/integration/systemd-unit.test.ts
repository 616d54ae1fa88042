import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { installedProgram } from '../support/installed.mjs'
import { temporaryFolder } from '../support/run-folder.ts'

/* docker/systemd/fpm-bridge.service, by systemd's own word. That it starts is not proved: tests have no systemd as process 1. */

const run = promisify(execFile)
const unit = readFileSync(
  fileURLToPath(new URL('../../docker/systemd/fpm-bridge.service', import.meta.url)),
  'utf8',
)
const settings = [...unit.matchAll(/^(\w+)=(.*)$/gm)].map(
  ([, name = '', value = '']) => [name, value] as const,
)
const all = (name: string) => settings.filter(([each]) => each === name).map(([, value]) => value)

/** The unit with a program that there is, since systemd looks for it. */
function copyOfUnit(text = unit): string {
  const path = join(temporaryFolder('unit'), 'fpm-bridge.service')
  writeFileSync(path, text.replaceAll('/usr/bin/fpm-bridge', '/bin/true'))
  return path
}

const analyze = (...args: readonly string[]) => run(installedProgram('systemdAnalyze'), args)

describe('the unit', () => {
  it('is in order, and has no setting that systemd does not know', async () => {
    expect(await analyze('verify', '--man=no', copyOfUnit())).toEqual({ stdout: '', stderr: '' })
  })

  it('would not be, with a mistake', async () => {
    const { stderr } = await analyze(
      'verify',
      '--man=no',
      copyOfUnit(unit.replace('WatchdogSec', 'WatchDog')),
    ).catch((error: { stderr: string }) => error)
    expect(stderr).toMatch(/Unknown key .*WatchDog/)
  })

  it('gives the process little to do harm with: 0 is nothing, 10 is everything', async () => {
    await analyze('security', '--offline=true', '--threshold=25', copyOfUnit())
  })

  it('lets the daemon tell how it does', () => {
    expect([all('Type'), all('NotifyAccess')]).toEqual([['notify'], ['all']])
    expect(Number(all('WatchdogSec'))).toBeGreaterThanOrEqual(30)
  })

  it('starts it again, but not when the configuration is wrong', () => {
    expect([all('Restart'), all('RestartPreventExitStatus')]).toEqual([['always'], ['64 78']])
  })

  it('checks the file before it has it reloaded, by the command that the daemon was started with', () => {
    const [start = ''] = all('ExecStart')
    const file = / --config (\S+)$/.exec(start)?.[1]
    expect(all('ExecReload')).toEqual([
      `/usr/bin/fpm-bridge config --config ${file} --check`,
      '/bin/kill -HUP $MAINPID',
    ])
  })
})
