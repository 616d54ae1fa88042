import type { FastCgiError, FastCgiResponse } from '../../fastcgi/types.ts'
import type { Finder, Finding } from './finding.ts'
import type { PhpFacts } from './php-facts.ts'
import type { ProbeAnswer } from './probe.ts'

/** Of what a script has printed, so much is repeated. */
const QUOTED = 200

/** How PHP begins its words about a script that has died. */
const DEATH = /PHP (?:Fatal|Parse) error: /

const LOG_ERRORS = 'in the pool: `php_admin_flag[log_errors] = on`; then look again'

export const CORRECT_SCRIPT =
  'correct --script: it is the path as php-fpm sees it (a container or `chroot` has other paths), and each folder on the way has to let the user of the pool pass'

/** What a request to a script has told of it. */
export function findingsOfAnswer(answer: ProbeAnswer, finder: Finder): readonly Finding[] {
  switch (answer.kind) {
    case 'package':
      return ofPackage(answer.facts, answer.before, finder)
    case 'other':
      return [ofOther(answer.response, finder)]
    case 'no-answer':
      return [ofSilence(answer.error, finder)]
  }
}

function ofPackage(facts: PhpFacts, before: string, { passed, warned, failed }: Finder): readonly Finding[] {
  const { php, package: version, boot, begun } = facts
  const by = version === undefined ? 'worker-php' : `worker-php ${version}`
  return [
    passed('found', 'the pool runs it'),
    passed('answers', `${by} answers after ${Math.round(boot)} ms, in PHP ${php}`),
    begun !== undefined
      ? failed(
          'silence',
          'configuration',
          `its answer has begun before the worker, in ${begun}: no message is executed`,
          'print nothing before Worker::run(), not even an empty line before <?php',
        )
      : before.trim() !== ''
        ? warned(
            'silence',
            `it prints something before the worker: ${quote(before)}`,
            'print nothing before Worker::run()',
          )
        : passed('silence', 'it prints nothing before the worker'),
  ]
}

/** What php-fpm itself says of a script that it does not run, or another script of itself. */
function ofOther({ status, stderr, body }: FastCgiResponse, { passed, warned, failed }: Finder): Finding {
  if (stderr.includes('Primary script unknown'))
    return failed('found', 'configuration', 'the pool does not find it', CORRECT_SCRIPT)
  if (stderr.includes('security.limit_extensions'))
    return failed(
      'found',
      'configuration',
      'the pool runs no file whose name ends so (security.limit_extensions)',
      'have its name end with .php',
    )
  if (stderr.includes('Unable to open primary script'))
    return failed(
      'found',
      'configuration',
      `the pool may not open it: ${quote(stderr)}`,
      'let the user of the pool read it: `chmod o+r` the script, or `chgrp` it to the group of the pool',
    )
  const text = body.toString('utf8')
  if (status === 403 && text.includes('fpm-bridge'))
    return warned(
      'answers',
      `its worker-php knows no probe: ${quote(text)}`,
      'update the package to the version of the daemon',
    )
  const said = quote(stderr || text)
  return status >= 500 || DEATH.test(stderr)
    ? failed(
        'answers',
        'configuration',
        `it answers ${status}: ${said || 'nothing says why'}`,
        said === '' ? LOG_ERRORS : 'mend what it says',
      )
    : passed(
        'answers',
        `without worker-php and without a message, it answers ${status}${said && `: ${said}`}`,
      )
}

function ofSilence({ code, message }: FastCgiError, { failed }: Finder): Finding {
  return code === 'TIMEOUT'
    ? failed(
        'answers',
        'unavailable',
        `${message}: it hangs before its worker, or all children are busy`,
        'see the slow log of the pool (`slowlog`, `request_slowlog_timeout`)',
      )
    : failed('answers', 'unavailable', message, 'see the error log of php-fpm')
}

function quote(text: string): string {
  const [first = ''] = text.trim().split('\n')
  return first.slice(0, QUOTED)
}
