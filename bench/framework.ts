import { cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installedProgram } from '../test/support/installed.mjs'
import { laravelApplication } from '../test/support/laravel-application.ts'
import { frameworkApplication, SYMFONY_EXTENSIONS } from '../test/support/symfony.ts'
import { type Place, urlOf } from './contestants.ts'
import { QUEUE } from './queue.ts'

/** Where an application is, and its broker. */
export type Home = Pick<Place, 'port' | 'script'>

/** A framework, and how it runs the messages of one application in php-fpm and on the command line. */
export interface Framework {
  readonly name: string
  /** Extensions of PHP that Debian does not build in: those it needs everywhere, and those of its command line alone. */
  readonly extensions: { readonly everywhere: readonly string[]; readonly commandLine: readonly string[] }
  /** Beside the front controller. */
  readonly console: string
  /** Arguments of the console that make the application ready, where there is something to do. */
  readonly warmUp?: readonly string[]
  /** Arguments of the console with which it consumes, and what people call that. */
  readonly consume: { readonly args: readonly string[]; readonly name: string }
  environment(home: Home): Readonly<Record<string, string>>
  /**
   * Makes the application in an empty folder.
   *
   * @returns its front controller, what `--script` takes
   */
  make(folder: string): string
}

/** What php.ini-production says, on both sides. */
export const PRODUCTION_INI = { display_errors: 'off', error_reporting: '22527' } as const

const file = (path: string): string => fileURLToPath(new URL(`php/${path}`, import.meta.url))

const SYMFONY: Framework = {
  name: 'Symfony',
  extensions: { everywhere: SYMFONY_EXTENSIONS, commandLine: ['amqp', 'intl'] },
  console: 'console',
  warmUp: ['cache:warmup'],
  consume: { args: ['messenger:consume', 'async'], name: 'messenger:consume' },
  environment: (home) => ({ MESSENGER_TRANSPORT_DSN: `${urlOf(home)}/%2f/${QUEUE}` }),
  make(folder) {
    cpSync(file('symfony/application'), folder, { recursive: true })
    const options = { failureTransport: false, freshContainer: false }
    return frameworkApplication(folder, options, file('symfony/autoload.php'))
  },
}

const LARAVEL: Framework = {
  name: 'Laravel',
  extensions: { everywhere: ['mbstring'], commandLine: [] },
  console: 'artisan',
  consume: { args: ['work'], name: 'queue:work' },
  environment: (home) => ({ APP_FOLDER: dirname(home.script), BROKER_URL: urlOf(home), QUEUE }),
  make(folder) {
    cpSync(file('laravel/artisan'), join(folder, 'artisan'))
    return laravelApplication(folder, {
      autoload: file('laravel/autoload.php'),
      app: file('laravel/app.php'),
    })
  },
}

export const FRAMEWORKS: readonly Framework[] = [SYMFONY, LARAVEL]

/** A command of the application, as production has it: without opcache, which is off for the command line, and without debugging. */
export function consoleCommand(
  { extensions, console }: Framework,
  { script }: Home,
  args: readonly string[],
): readonly string[] {
  const settings = [
    ...Object.entries(PRODUCTION_INI).map(([name, value]) => `${name}=${value}`),
    ...[...extensions.everywhere, ...extensions.commandLine].map((name) => `extension=${name}`),
  ]
  const php = [installedProgram('php'), '-n', ...settings.flatMap((setting) => ['-d', setting])]
  return [...php, join(dirname(script), console), ...args]
}
