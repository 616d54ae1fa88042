import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './run-folder.ts'

/** A worker of a test's own. */
export interface WorkerScript {
  readonly path: string
  /** `<message id> <attempt> <redelivered>` of each execution that has begun, oldest first. */
  executions(): string[]
}

/**
 * Writes a PHP script that notes each execution, and then does this.
 *
 * @param php statements; `$_POST`, and `$attempt` with the number of the execution
 * @param before what is done first, before anything is noted
 */
export function workerThat(php: string, folder = temporaryFolder('worker'), before = ''): WorkerScript {
  const [path, notes] = [join(folder, 'worker.php'), join(folder, 'executions')]
  writeFileSync(
    path,
    `<?php
    ${before}
    $attempt = (int) $_SERVER['AMQP_ATTEMPT'];
    $note = [$_SERVER['AMQP_MESSAGE_ID'] ?? '-', $attempt, $_SERVER['AMQP_REDELIVERED']];
    file_put_contents('${notes}', implode(' ', $note) . "\\n", FILE_APPEND);
    ${php}`,
  )
  return {
    path,
    // What follows the last line's end is on its way.
    executions: () => (existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').slice(0, -1) : []),
  }
}

/** PHP that goes on when this file is there; or after two minutes, for a pool outlives a test that fails. */
export const waitForFile = (file: string): string =>
  `for ($end = time() + 120; !is_file('${file}') && time() < $end; clearstatcache()) usleep(10000);`
