import type { BridgeConfig } from '../../config/bridge-config.ts'
import { type Finder, type Finding, findingsOf } from './finding.ts'
import { isLoopback } from './loopback.ts'
import type { PhpFacts } from './php-facts.ts'
import { PHP_RULES } from './php-rules.ts'
import { isFolderSeen, probeScript } from './probe.ts'
import { CORRECT_SCRIPT, findingsOfAnswer } from './script-answer.ts'
import { lookAtScript, type SeenScript } from './script-file.ts'
import { findingOf, type Verdict } from './verdict.ts'

export interface ScriptOptions {
  /** Whether it may be executed although it is not known to use the package. */
  readonly probe: boolean
  /** Of fpm-bridge. */
  readonly version: string
}

/**
 * Whether the pool finds a script, and what it answers. Only one that uses the package is executed without being asked to.
 *
 * @param bridges those that have it executed by the same pool; one at least
 * @param asked requests at a time of all bridges on the pool
 */
export async function checkScript(
  bridges: readonly BridgeConfig[],
  asked: number,
  { probe, version }: ScriptOptions,
): Promise<readonly Finding[]> {
  const [first] = bridges
  if (first === undefined) return []
  const { script, pool } = first
  const finder = findingsOf('script', script)
  const isLocal = pool.kind === 'unix' || isLoopback(pool.host)
  const seen = lookAtScript(script)
  if (probe || (isLocal && seen.kind === 'file' && seen.usesPackage)) {
    const answer = await probeScript(first, version)
    const settings =
      answer.kind === 'package' ? ofPhp(answer.facts, bridges, asked) : [withoutPackage(script)]
    return [...findingsOfAnswer(answer, finder), ...settings]
  }
  const isSeen = await isFolderSeen(first, version)
  const found = ofLook(seen, isSeen, isLocal, finder)
  const answers = finder.unknown(
    'answers',
    'it is not known to use worker-php, so it was not executed',
    'with --probe it is executed once, without a message',
  )
  return [found, answers, withoutPackage(script)]
}

/** What is to be said of several bridges alike is said once. */
function ofPhp(facts: PhpFacts, bridges: readonly BridgeConfig[], asked: number): readonly Finding[] {
  return PHP_RULES.flatMap(({ point, of }) => {
    const verdicts = new Map<string, { readonly found: Verdict; readonly names: string[] }>()
    for (const bridge of bridges) {
      const found = of(facts, bridge, asked)
      const key = JSON.stringify(found)
      const { names = [] } = verdicts.get(key) ?? {}
      verdicts.set(key, { found, names: [...names, bridge.name] })
    }
    return [...verdicts.values()].map(({ found, names }) =>
      findingOf(point, found, findingsOf('php', names.join(', '))),
    )
  })
}

function withoutPackage(script: string): Finding {
  return findingsOf('php', script).unknown(
    'settings',
    'only worker-php, as it came with this version, tells what PHP a script runs in',
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
    kind === 'unreadable' ? 'it cannot be read here' : 'it cannot be seen from here',
    'with --probe the pool itself says whether it is there',
  )
}
