// Makes a machine that has Node, npm and git ready for the tests, the demo and the benchmark: the npm packages, RabbitMQ and
// php-fpm. Plain JavaScript without dependencies, since it runs before there are any.
//
//   node test/support/prepare.mjs [--yes] [--tests] [--bench]
//
// With --tests, also what only the tests need; with --bench, what the PHP peers and the frameworks of the
// benchmark need.
//
// On a terminal it asks before it installs packages of the distribution. It does not ask with --yes, with
// FPM_BRIDGE_INSTALL=yes, under CI or where nobody could answer.

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { installedPrograms, missingFrameworks } from './installed.mjs'
import { nodeModulesAreCurrent, nodeSatisfies } from './node-packages.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const installPackages = fileURLToPath(new URL('install-packages.sh', import.meta.url))

/**
 * @typedef {object} Wanted
 * @property {boolean} [yes] install packages without asking
 * @property {boolean} [tests] also what only the tests need
 * @property {boolean} [bench] also what the PHP peers and the frameworks of the benchmark need
 */

/** Why the machine cannot be made ready, in one line for the person who has to act. */
export class NotReady extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 69) {
    super(message)
    this.exitCode = exitCode
  }
}

/**
 * Installs what is missing; does nothing, and says nothing, on a machine that is ready.
 *
 * @param {Wanted} [options]
 * @throws {NotReady} with one line that says what to do
 */
export async function prepare(options = {}) {
  await prepareNode()
  await prepareServices(options)
}

/**
 * The first half: the right Node, and the npm packages.
 *
 * @throws {NotReady}
 */
export async function prepareNode() {
  checkNode()
  if (nodeModulesAreCurrent(root)) return
  say('Installing the npm packages of package-lock.json (npm ci) ...')
  const ended = await run('npm', ['ci', '--no-audit', '--no-fund'], 'inherit')
  if (ended !== 0) throw new NotReady('npm ci failed; its message is above.')
}

/**
 * The second half: RabbitMQ and php-fpm.
 *
 * @param {Wanted} [options]
 * @throws {NotReady}
 */
export async function prepareServices(options = {}) {
  const packages = missingPackages(options)
  if (packages.length === 0) return
  await installDistributionPackages(packages, options.yes === true)
  const still = missingPackages(options)
  if (still.length > 0) throw new NotReady(`Installed, but not found afterwards: ${still.join(' ')}.`)
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (nodeSatisfies(process.versions.node, engines.node)) return
  throw new NotReady(`Node ${engines.node} is needed, and this is ${process.version}: install a newer one.`)
}

/**
 * The distribution's packages for what is not there, by the names that Debian and Ubuntu share.
 *
 * @param {Wanted} wanted
 */
function missingPackages({ tests = false, bench = false }) {
  const {
    rabbitmqServer,
    rabbitmqctl,
    epmd,
    phpFpm,
    php,
    phpAmqplib,
    phpSqlite,
    phpAmqp,
    phpunit,
    ...others
  } = installedPrograms()
  const packages = []
  if (!rabbitmqServer || !rabbitmqctl || !epmd) packages.push('rabbitmq-server')
  if (!phpFpm) packages.push('php-fpm')
  if (!php) packages.push('php-cli')
  if ((tests || bench) && !phpAmqplib) packages.push('php-amqplib')
  if (tests && !phpSqlite) packages.push('php-sqlite3')
  if (tests && !phpunit) packages.push('phpunit')
  if ((tests || bench) && !phpAmqp) packages.push('php-amqp')
  // Debian's php-fpm brings it in already.
  if (tests && (!others.systemdNotify || !others.systemdAnalyze)) packages.push('systemd')
  if (tests && (!others.prometheus || !others.promtool)) packages.push('prometheus')
  if (tests || bench) packages.push(...missingFrameworks())
  return packages
}

/** @param {string[]} packages @param {boolean} yes */
async function installDistributionPackages(packages, yes) {
  const list = packages.join(' ')
  const rights = rightsToInstall()
  if (rights === undefined)
    throw new NotReady(`Install these first (no apt-get, or no right to use it): ${list}`)
  const command = [...rights, 'sh', installPackages, ...packages]
  say(`Tests, demo and benchmark run against a RabbitMQ and a php-fpm of their own. Missing here: ${list}`)
  say('To install with apt-get; their system services are started neither now nor at the next boot.')
  if (!yes && !(await consent())) throw new NotReady(`Install these first: ${list}`)

  const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-apt-'))
  const log = join(folder, 'apt.log')
  const output = openSync(log, 'w')
  say(`Installing ${list} (the output goes to ${log}) ...`)
  const ended = await run(command[0] ?? '', command.slice(1), output).finally(() => closeSync(output))
  if (ended !== 0) {
    const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
    throw new NotReady(`${tail}\nInstalling ${list} failed; the whole output is in ${log}`)
  }
  rmSync(folder, { recursive: true })
}

/** The words before a command that give it root's rights; undefined where there is no way to them. */
function rightsToInstall() {
  if (spawnSync('apt-get', ['--version']).status !== 0) return undefined
  if (process.getuid?.() === 0) return []
  if (spawnSync('sudo', ['-n', 'true']).status === 0) return ['sudo', '-n']
  // sudo asks for the password on the terminal.
  return onTerminal() && spawnSync('sudo', ['--version']).status === 0 ? ['sudo'] : undefined
}

const onTerminal = () => Boolean(process.stdin.isTTY && process.stderr.isTTY && !process.env['CI'])

async function consent() {
  if (!onTerminal() || process.env['FPM_BRIDGE_INSTALL'] === 'yes') return true
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C and Ctrl-D close the interface without an answer.
  const closed = new Promise((resolve) => terminal.once('close', () => resolve('no')))
  const answer = await Promise.race([terminal.question('Install them? [Y/n] '), closed])
  terminal.close()
  return /^(y(es)?)?$/i.test(answer.trim())
}

/**
 * Runs a command to its end. Ctrl-C reaches it too, since it shares the terminal; this process then waits for it
 * to put things in order and ends by the same signal.
 *
 * @param {string} command @param {string[]} args @param {'inherit' | number} output
 * @returns {Promise<number | null>} its exit code; null when a signal ended it
 */
function run(command, args, output) {
  return new Promise((resolve, reject) => {
    // npm and apt-get report progress; stdout is left to results.
    const file = output === 'inherit' ? 2 : output
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', file, file] })
    /** @type {NodeJS.Signals | undefined} */
    let interruptedBy
    /** @param {NodeJS.Signals} signal */
    const interrupt = (signal) => {
      if (interruptedBy === undefined) say('Stopping as soon as what runs can be left in order ...')
      interruptedBy = signal
      if (signal !== 'SIGINT') child.kill(signal)
    }
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
    for (const signal of signals) process.on(signal, interrupt)
    child.once('error', (cause) => reject(new NotReady(`Cannot run ${command}: ${cause.message}`)))
    child.once('close', (code) => {
      for (const signal of signals) process.off(signal, interrupt)
      if (interruptedBy !== undefined) process.kill(process.pid, interruptedBy)
      else resolve(code)
    })
  })
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`)
}

/** For the entry points: prints the one line of a NotReady and ends the process with its code. @param {unknown} error */
export function exitUnprepared(error) {
  if (!(error instanceof NotReady)) throw error
  say(error.message)
  process.exit(error.exitCode)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  /** @param {string} flag */
  const has = (flag) => process.argv.includes(flag)
  await prepare({ yes: has('--yes'), tests: has('--tests'), bench: has('--bench') }).catch(exitUnprepared)
}
