// Where this machine keeps the services that the tests and the demo run. Plain JavaScript without
// dependencies: it is asked before node_modules exists.

import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian keeps these out of an ordinary user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * Debian's /usr/sbin/rabbitmq-server and rabbitmqctl are wrappers: as root they change to the user rabbitmq,
 * as anyone else they refuse. The scripts behind them run as whoever calls them, so they come first.
 */
const RABBITMQ_FOLDERS = ['/usr/lib/rabbitmq/bin']

/** Where Debian's php-amqplib is: the Publisher of worker-php needs it, and the benchmark's PHP peers. */
const PHP_AMQPLIB = '/usr/share/php/PhpAmqpLib/autoload.php'

/** Debian's packages of the frameworks that the tests and the benchmark make applications of, and what each brings. */
const FRAMEWORKS = {
  'php-symfony-amqp-messenger': 'Symfony/Component/Messenger/Bridge/Amqp',
  'php-symfony-console': 'Symfony/Component/Console',
  'php-symfony-framework-bundle': 'Symfony/Bundle/FrameworkBundle',
  'php-symfony-messenger': 'Symfony/Component/Messenger',
  'php-symfony-property-access': 'Symfony/Component/PropertyAccess',
  'php-symfony-serializer': 'Symfony/Component/Serializer',
  'php-symfony-yaml': 'Symfony/Component/Yaml',
  'php-illuminate-bus': 'Illuminate/Bus',
  'php-illuminate-cache': 'Illuminate/Cache',
  'php-illuminate-config': 'Illuminate/Config',
  'php-illuminate-encryption': 'Illuminate/Encryption',
  'php-illuminate-events': 'Illuminate/Events',
  'php-illuminate-queue': 'Illuminate/Queue',
}

/** Where Debian keeps PHP's extensions, in a folder for each version of its API. */
const PHP_EXTENSIONS = '/usr/lib/php'

const searchPath = () => (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** @param {string} folder */
function namesIn(folder) {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/**
 * @param {string[]} folders searched in order
 * @param {RegExp} name
 * @returns {string | undefined} the first match; of several in one folder the newest version
 */
function find(folders, name) {
  for (const folder of folders) {
    const newestFirst = namesIn(folder)
      .filter((entry) => name.test(entry) && isExecutable(join(folder, entry)))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    if (newestFirst[0] !== undefined) return join(folder, newestFirst[0])
  }
  return undefined
}

/** @param {string} name @returns {string | undefined} the path of an extension, for the newest PHP that has it */
function findExtension(name) {
  const folders = namesIn(PHP_EXTENSIONS).filter((entry) => /^\d{8}$/.test(entry))
  const paths = folders
    .sort()
    .reverse()
    .map((folder) => join(PHP_EXTENSIONS, folder, `${name}.so`))
  return paths.find((path) => existsSync(path))
}

/** The paths of what the tests and the benchmark run; undefined where there is none. */
export function installedPrograms() {
  const everywhere = [...searchPath(), ...SYSTEM_FOLDERS]
  const rabbitmq = [...RABBITMQ_FOLDERS, ...everywhere]
  return {
    rabbitmqServer: find(rabbitmq, /^rabbitmq-server$/),
    rabbitmqctl: find(rabbitmq, /^rabbitmqctl$/),
    epmd: find(everywhere, /^epmd$/),
    phpFpm: find(everywhere, /^php-fpm[\d.]*$/),
    php: find(everywhere, /^php$/),
    phpAmqplib: existsSync(PHP_AMQPLIB) ? PHP_AMQPLIB : undefined,
    phpSqlite: findExtension('pdo_sqlite'),
    phpAmqp: findExtension('amqp'),
    phpunit: find(everywhere, /^phpunit$/),
    systemdNotify: find(everywhere, /^systemd-notify$/),
    systemdAnalyze: find(everywhere, /^systemd-analyze$/),
    prometheus: find(everywhere, /^prometheus$/),
    promtool: find(everywhere, /^promtool$/),
  }
}

/** Packages of the frameworks that are not here. */
export function missingFrameworks() {
  const missing = Object.entries(FRAMEWORKS).filter(
    ([, part]) => !existsSync(join('/usr/share/php', part, 'autoload.php')),
  )
  return missing.map(([name]) => name)
}

/**
 * @param {keyof ReturnType<typeof installedPrograms>} program
 * @returns {string} its path
 * @throws when it is not installed
 */
export function installedProgram(program) {
  const path = installedPrograms()[program]
  if (path === undefined) throw new Error(`${program} is not installed: run node test/support/prepare.mjs`)
  return path
}
