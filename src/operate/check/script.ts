import type { BridgeConfig } from '../../config/bridge-config.ts'
import type { FastCgiError, FastCgiResponse } from '../../fastcgi/types.ts'
import { type Finder, type Finding, findingsOf } from './finding.ts'
import { isLoopback } from './loopback.ts'
import type { PhpFacts } from './php-facts.ts'
import { PHP_RULES, type Verdict } from './php-rules.ts'
import { isFolderSeen, type ProbeAnswer, probeScript } from './probe.ts'
import { lookAtScript, type SeenScript } from './script-file.ts'

/** Of what a script has printed, so much is repeated. */
const QUOTED = 200

/** How PHP begins its words about a script that has died. */
const DEATH = /PHP (?:Fatal|Parse) error: /

const LOG_ERRORS = 'in the pool: `php_admin_flag[log_errors] = on`; then look again'

const CORRECT_SCRIPT =
  'correct --script: it is the path as php-fpm sees it (a container or `chroot` has other paths), and each folder on the way has to let the user of the pool pass'

export interface ScriptOptions {
  /** Whether it may be executed although it is not known to use the package. */
  readonly probe: boolean
  /** Of fpm-bridge. */
  readonly version: string
}

/**
 * Whether the pool finds the script, and what it answers. Only one that uses the package is executed without being asked to.
 *
 * @param asked requests at a time of all bridges on the pool
 */
export async function checkScript(
  config: BridgeConfig,
  asked: number,
  { probe, version }: ScriptOptions,
): Promise<readonly Finding[]> {
  const { script, pool, name } = config
  const finder = findingsOf('script', script)
  const isLocal = pool.kind === 'unix' || isLoopback(pool.host)
  const seen = lookAtScript(script)
  if (probe || (isLocal && seen.kind === 'file' && seen.usesPackage)) {
    const answer = await probeScript(config, version)
    const facts = answer.kind === 'package' ? answer.facts : undefined
    const settings =
      facts === undefined
        ? [withoutPackage(name)]
        : PHP_RULES.map((rule) => verdict(rule.point, rule.of(facts, config, asked), findingsOf('php', name)))
    return [...ofAnswer(answer, finder), ...settings]
  }
  const isSeen = await isFolderSeen(config, version)
  const found = ofLook(seen, isSeen, isLocal, finder)
  const answers = finder.unknown(
    'answers',
    'it is not known to use worker-php, so it was not executed',
    'with --probe it is executed once, without a message',
  )
  return [found, answers, withoutPackage(name)]
}

function verdict(point: string, found: Verdict, finder: Finder): Finding {
  switch (found.is) {
    case 'passed':
      return finder.passed(point, found.text)
    case 'unknown':
      return finder.unknown(point, found.text, found.remedy)
    case 'warned':
      return finder.warned(point, found.text, found.remedy)
    case 'failed':
      return finder.failed(point, 'configuration', found.text, found.remedy)
  }
}

function withoutPackage(name: string): Finding {
  return findingsOf('php', name).unknown(
    'settings',
    'only worker-php tells what PHP it runs in',
    'have the script use it (worker-php/README.md), or compare `php-fpm -i` with docs/check.md yourself',
  )
}

/** What can be known of a script that nobody has executed. */
function ofLook(
  { kind }: SeenScript,
  isFolderSeenByPool: boolean | undefined,
  isLocal: boolean,
  { passed, unknown, failed }: Finder,
): Finding {
  if (isFolderSeenByPool === false)
    return failed('found', 'configuration', 'the pool does not see its folder', CORRECT_SCRIPT)
  if (kind === 'file' && isLocal) return passed('found', 'it is there, as it is seen from here')
  if (kind === 'other')
    return failed('found', 'configuration', 'it is a folder, or no file that can be run', CORRECT_SCRIPT)
  if (kind === 'absent' && isLocal && isFolderSeenByPool)
    return failed(
      'found',
      'configuration',
      'it is not in its folder, as that is seen from here',
      `${CORRECT_SCRIPT}; with --probe the pool itself says whether it is there`,
    )
  return unknown(
    'found',
    kind === 'closed' ? 'this user may not read it' : 'it cannot be seen from here',
    'with --probe the pool itself says whether it is there',
  )
}

function ofAnswer(answer: ProbeAnswer, finder: Finder): readonly Finding[] {
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
