import { retryDelays, retryQueue } from '../bridge/retry.ts'
import type { BridgeConfig } from './bridge-config.ts'
import { BRIDGE_OPTIONS, readBridgeConfig } from './bridge-options.ts'
import { Faults } from './option-error.ts'
import { type BridgeEntry, OptionReader, type RawOptions } from './reader.ts'
import { defaultBridgeName } from './values.ts'

/** What only one bridge can have: not to be shared by way of the command line, the environment or the file's top level. */
const OF_ONE_BRIDGE: readonly string[] = ['name', 'queue']

/** A bridge that is right by itself. */
interface Candidate {
  readonly entry: BridgeEntry
  readonly config: BridgeConfig
}

/**
 * Reads the entries of `bridges:`. Each has what it says itself, else what is given for all of them.
 *
 * @param options of the top level, from wherever
 * @throws {OptionError} of all that is wrong
 */
export function readBridges(
  options: RawOptions,
  entries: readonly BridgeEntry[],
  daemonId: string,
): readonly BridgeConfig[] {
  const faults = new Faults()
  for (const { name, complaint } of misplaced(options, entries))
    faults.attempt(() => new OptionReader(options).refuse(name, complaint))
  const shared = new Map([...options].filter(([name]) => !OF_ONE_BRIDGE.includes(name)))
  const readerOf = (entry: BridgeEntry) => new OptionReader(shared, entry)
  const candidates = entries.flatMap((entry): Candidate[] => {
    const config = faults.attempt(() => readBridgeConfig(readerOf(entry), daemonId))
    return config === undefined ? [] : [{ entry, config }]
  })
  for (const { entry, name, complaint } of [...twins(entries), ...conflicts(candidates)])
    faults.attempt(() => readerOf(entry).refuse(name, complaint))
  faults.throwAny()
  return candidates.map(({ config }) => config)
}

interface Misplaced {
  readonly name: string
  readonly complaint: string
}

/** What is given for all bridges and means none of them. */
function* misplaced(options: RawOptions, entries: readonly BridgeEntry[]): Iterable<Misplaced> {
  for (const name of OF_ONE_BRIDGE)
    if (options.has(name))
      yield { name, complaint: 'belongs to one bridge: with bridges: it goes into each entry' }
  for (const name of Object.keys(BRIDGE_OPTIONS)) {
    if (OF_ONE_BRIDGE.includes(name)) continue
    const unheard = entries.length > 0 && entries.every(({ own }) => own.has(name))
    if (options.get(name)?.origin === 'flag' && unheard)
      yield { name, complaint: 'changes nothing: each entry of bridges: has its own, which counts' }
  }
}

interface Conflict extends Misplaced {
  readonly entry: BridgeEntry
}

/** Queues and names that come twice; whatever else is wrong with their bridges. */
function* twins(entries: readonly BridgeEntry[]): Iterable<Conflict> {
  const queueOf = ({ own }: BridgeEntry) => own.get('queue')?.values[0]
  const nameOf = (entry: BridgeEntry) =>
    entry.own.get('name')?.values[0] ?? defaultBridgeName(queueOf(entry) ?? '')
  for (const [index, entry] of entries.entries()) {
    const [queue, name] = [queueOf(entry), nameOf(entry)]
    const before = entries.slice(0, index)
    const sameQueue = queue === undefined ? undefined : before.find((other) => queueOf(other) === queue)
    const sameName = name === '' ? undefined : before.find((other) => nameOf(other) === name)
    if (sameQueue !== undefined)
      yield { entry, name: 'queue', complaint: `is consumed by ${placeOf(sameQueue)} already` }
    else if (sameName !== undefined)
      yield { entry, name: 'name', complaint: `"${name}" is that of ${placeOf(sameName)} already` }
  }
}

/** What is wrong with a bridge only beside another one. */
function* conflicts(candidates: readonly Candidate[]): Iterable<Conflict> {
  for (const candidate of candidates) {
    yield* stolenRetries(candidate, candidates)
    yield* deadLetterCircles(candidate, candidates)
  }
}

/** Messages that rest between two attempts would be executed by the wrong bridge, at once. */
function* stolenRetries(candidate: Candidate, candidates: readonly Candidate[]): Iterable<Conflict> {
  const owner = candidates.find(({ config }) => restsIn(config, candidate.config.queue))
  if (owner !== undefined)
    yield {
      entry: candidate.entry,
      name: 'queue',
      complaint: `is where the messages of ${placeOf(owner.entry)} rest between attempts`,
    }
}

/** A chain of bridges that take each other's dead letters is allowed. A circle would never give up a message. */
function* deadLetterCircles(candidate: Candidate, candidates: readonly Candidate[]): Iterable<Conflict> {
  const chain = [candidate]
  let next = takerOf(candidate, candidates)
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next)
    next = takerOf(next, candidates)
  }
  // One that takes its own has been refused before. Of a circle its first bridge tells.
  const first = candidates.find((each) => chain.includes(each))
  if (next === candidate && first === candidate && chain.length > 1)
    yield { entry: candidate.entry, name: 'dead-letter-queue', complaint: circle(chain) }
}

/** Which bridge gets what this one gives up. */
function takerOf(
  { config: { deadLetterQueue } }: Candidate,
  candidates: readonly Candidate[],
): Candidate | undefined {
  return candidates.find(({ config }) => config.queue === deadLetterQueue || restsIn(config, deadLetterQueue))
}

function restsIn(config: BridgeConfig, queue: string): boolean {
  return (
    config.ack === 'completed' &&
    // Each is asked of each: mostly its name tells at once.
    queue.startsWith(config.queue) &&
    retryDelays(config).some((delay) => retryQueue(config.queue, delay) === queue)
  )
}

function circle(chain: readonly Candidate[]): string {
  const [, ...others] = chain.map(({ entry }) => entry.path)
  return `leads back here by way of ${others.join(', ')}: given-up messages would come back for ever`
}

function placeOf({ path, source }: BridgeEntry): string {
  return `${path} (${source})`
}
