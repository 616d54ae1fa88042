// npm test: everything that has to hold before a change goes in, on a machine that has Node, npm and git only.
//
//   npm test                              all of it
//   npm test -- test/unit/payload/form.test.ts    the same, with these arguments for Vitest
//   npm test -- --yes                     install missing packages without asking
//
// The last line says `N passed, N failed, N skipped`: the tests, and one for each check. Exits 0 only when nothing
// failed and some test ran. Plain JavaScript, since it runs before there is a TypeScript runner.

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join, relative, resolve as resolvePath } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitUnprepared, prepare } from './support/prepare.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'node_modules', '.bin')

// Biome colours what it writes into a pipe, too.
const colors = process.stdout.isTTY ? [] : ['--colors=off']
const CHECKS = [
  { name: 'format and lint', command: 'biome', args: ['ci', '--error-on-warnings', ...colors] },
  { name: 'types', command: 'tsc', args: ['-p', 'test'] },
  { name: 'build', command: process.execPath, args: ['build.mjs'] },
]

/** Of the tests that failed. */
const MOST_NAMED = 30
const LONGEST_REASON = 200

const yes = process.argv.includes('--yes')
const vitestArguments = process.argv.slice(2).filter((argument) => argument !== '--yes')

/** A signal came: there is no result, and the exit code says which signal. */
class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`Interrupted by ${signal}.`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

await prepare({ yes, tests: true }).catch(exitUnprepared)
try {
  const { passed, failed, skipped, failures } = await checkAndTest()
  // Once more, in short, where whoever looks at the end finds them.
  for (const failure of failures.slice(0, MOST_NAMED)) process.stdout.write(`FAILED: ${failure}\n`)
  if (failures.length > MOST_NAMED)
    process.stdout.write(`and ${failures.length - MOST_NAMED} more, see above\n`)
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`)
  process.exitCode = failed > 0 ? 1 : 0
} catch (error) {
  if (!(error instanceof Interrupted)) throw error
  process.stdout.write(`\n${error.message}\n`)
  process.exitCode = error.exitCode
}

async function checkAndTest() {
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const checks = { passed: 0, failed: 0 }
  for (const { name, command, args } of CHECKS) {
    const passed = (await run(command, args)) === 0
    checks[passed ? 'passed' : 'failed'] += 1
    process.stdout.write(`${passed ? 'passed' : 'FAILED'}: ${name}\n`)
  }
  const tests = await runTests()
  // Of no test at all one cannot say that it passed.
  const failed = tests.passed + tests.failed === 0 ? 1 : tests.failed
  const { skipped, failures } = tests
  return { passed: checks.passed + tests.passed, failed: checks.failed + failed, skipped, failures }
}

/** @returns {Promise<Counts>} */
async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-report-'))
  const report = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  try {
    const code = await run('vitest', [
      'run',
      '--config',
      'test/vitest.config.ts',
      ...reporters,
      ...vitestArguments,
    ])
    const counts = readReport(report)
    // Not every failure is a test's: something left behind, a rejection that nobody awaited, no report at all.
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    return counts
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @typedef {{passed: number, failed: number, skipped: number, failures: string[]}} Counts `failures`: a line for each that can be named */

/**
 * @param {string} path of what Vitest's JSON reporter wrote
 * @returns {Counts}
 */
function readReport(path) {
  /** @type {Counts} */
  const counts = { passed: 0, failed: 0, skipped: 0, failures: [] }
  let report
  try {
    report = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return counts // Vitest did not come that far
  }
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = relative(root, name)
    const failed = assertionResults.filter((/** @type {{status: string}} */ test) => test.status === 'failed')
    for (const { fullName, failureMessages } of failed)
      counts.failures.push(`${file}: ${fullName}: ${firstLine(failureMessages[0])}`)
    // A file that cannot be loaded, or whose hook fails, has no failed test of its own.
    if (status === 'failed' && failed.length === 0) {
      counts.failed += 1
      counts.failures.push(`${file}: ${firstLine(message)}`)
    }
  }
  counts.passed += report.numPassedTests
  counts.failed += report.numFailedTests
  counts.skipped += report.numPendingTests + report.numTodoTests
  return counts
}

/** @param {string} [text] */
function firstLine(text = '') {
  const [line = ''] = text.split('\n')
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}...` : line
}

/**
 * Runs a program, such as one of node_modules, to its end.
 *
 * @param {string} command @param {string[]} args
 * @returns {Promise<number | null>} its exit code; null when a signal ended it
 * @throws {Interrupted} when a signal came meanwhile; the program got it too, and has ended
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(resolvePath(bin, command), args, { cwd: root, stdio: 'inherit' })
    /** @type {NodeJS.Signals | undefined} */
    let interruptedBy
    /** @param {NodeJS.Signals} signal */
    const interrupt = (signal) => {
      interruptedBy = signal
      // Ctrl-C reaches the child by itself, as it shares the terminal; a second SIGINT would cut its closing short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
    for (const signal of signals) process.on(signal, interrupt)
    child.once('error', reject)
    child.once('close', (code) => {
      for (const signal of signals) process.off(signal, interrupt)
      if (interruptedBy === undefined) resolve(code)
      else reject(new Interrupted(interruptedBy))
    })
  })
}
