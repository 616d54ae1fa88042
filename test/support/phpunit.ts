import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installedProgram } from './installed.mjs'
import { removeFolder, temporaryFolder } from './run-folder.ts'

/** One test method, as PHPUnit reports it. */
export interface PhpTest {
  /** Without its namespace. */
  readonly class: string
  readonly name: string
  /** What PHPUnit says of its failure; undefined when it passed. */
  readonly failure: string | undefined
  readonly skipped: boolean
}

export interface PhpReport {
  readonly tests: readonly PhpTest[]
  readonly exitCode: number
  /** What it printed. */
  readonly output: string
}

const folder = fileURLToPath(new URL('../../worker-php', import.meta.url))

/** Runs the PHPUnit tests of worker-php to their end, which takes half a second. */
export async function runPhpUnit(): Promise<PhpReport> {
  const directory = temporaryFolder('phpunit')
  const report = join(directory, 'junit.xml')
  const args = ['--configuration', join(folder, 'phpunit.xml'), '--log-junit', report, '--colors=never']
  try {
    const { exitCode, output } = await promisify(execFile)(installedProgram('phpunit'), args, {
      timeout: 60_000,
    })
      .then(({ stdout, stderr }) => ({ exitCode: 0, output: stdout + stderr }))
      .catch(({ code, stdout, stderr }) => ({ exitCode: code ?? -1, output: `${stdout}${stderr}` }))
    // Without a report it did not come to its tests: its output says why.
    const tests = existsSync(report) ? readReport(readFileSync(report, 'utf8')) : []
    return { tests, exitCode, output }
  } finally {
    removeFolder(directory)
  }
}

/** Of PHPUnit's JUnit XML, the little that is needed: attributes have no `>` in them, and text has no `<`. */
function readReport(xml: string): PhpTest[] {
  return [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)].map(
    ([, attributes = '', content]) => {
      const attribute = (name: string) =>
        decode(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '')
      const [, , failure] = /<(failure|error|warning)\b[^>]*>(.*?)<\/\1>/s.exec(content ?? '') ?? []
      return {
        class: attribute('class').split('\\').at(-1) ?? '',
        name: attribute('name'),
        failure: failure === undefined ? undefined : decode(failure),
        skipped: content?.includes('<skipped') ?? false,
      }
    },
  )
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function decode(text: string): string {
  return text.replace(/&(#\d+|\w+);/g, (whole, name: string) =>
    name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : (ENTITIES[name] ?? whole),
  )
}
