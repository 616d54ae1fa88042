import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workerPhp } from './handler-script.ts'

/**
 * Makes an application of Laravel as docs/laravel.md says, with the front controller of worker-php in its root.
 *
 * @param folder of the caller's own
 * @param sources PHP files that stand for its vendor/autoload.php and its bootstrap/app.php
 * @param first PHP that comes before both
 * @returns what `--script` takes
 */
export function laravelApplication(
  folder: string,
  sources: { readonly autoload: string; readonly app: string },
  first = '',
): string {
  const php = (file: string) => `<?php ${first} return require '${file}';\n`
  for (const name of ['vendor', 'bootstrap']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'vendor/autoload.php'), php(sources.autoload))
  writeFileSync(join(folder, 'bootstrap/app.php'), php(sources.app))
  const script = join(folder, 'queue.php')
  copyFileSync(join(workerPhp, 'laravel/queue.php'), script)
  return script
}
