import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const workerPhp = fileURLToPath(new URL('../../worker-php', import.meta.url))

export interface HandlerScript {
  /** What `--script` takes. */
  readonly script: string
  /** What the handler was given so far, oldest first: the field `do` of each message, and the number of the attempt. */
  executions(): { do: string; attempt: number }[]
}

export interface HandlerOptions {
  /** PHP of the script before the worker runs. */
  readonly before?: string
  /** PHP: the arguments of the Worker, such as `lock: new FileLock(...)`. */
  readonly worker?: string
  /** PHP: what is noted as `do`; default the field of that name. */
  readonly do?: string
  /** PHP: a handler in place of the function that notes its executions. */
  readonly handler?: string
}

/**
 * Writes a script of the composer package that notes each execution and then does this. The message is `$message`, its
 * field `do` is `$do`.
 *
 * @param directory a folder of the test's own, for the script and its notes
 */
export function handlerScript(directory: string, php: string, options: HandlerOptions = {}): HandlerScript {
  const script = join(directory, 'handler.php')
  const notes = join(directory, 'executions')
  const handler =
    options.handler ??
    `function (Message $message): void {
    $do = ${options.do ?? "$message->payload()['do'] ?? ''"};
    file_put_contents('${notes}', json_encode(['do' => $do, 'attempt' => $message->attempt]) . "\\n", FILE_APPEND);
    ${php}
}`
  writeFileSync(
    script,
    `<?php
namespace FpmBridge\\Worker;
require '${workerPhp}/autoload.php';
${options.before ?? ''}
(new Worker(${options.worker ?? ''}))->execute(${handler});
`,
  )
  return {
    script,
    executions() {
      if (!existsSync(notes)) return []
      // What follows the last line's end is on its way.
      const lines = readFileSync(notes, 'utf8').split('\n').slice(0, -1)
      return lines.map((line) => JSON.parse(line) as { do: string; attempt: number })
    },
  }
}
