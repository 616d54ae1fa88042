import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from '../chaos/figures.ts'
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts'
import { fillWithLetters, replayKilled } from '../support/dead-letters.ts'
import { type Measurement, none, type Site } from './figure.ts'

const LETTERS = 10_000
const KILLS = 20

/** Of the quickest replay. */
const MANY = 20_000

/** A second, and how many letters at that rate. */
const RATE = 100
const PACED = 1_000

const LOOKED_AT = 100_000
const BODY = 10 * 1024
const MIB = 1024 * 1024

/** What the replay of dead letters promises when it is killed, how fast it is, and what a look at many costs. */
export const deadLetters: Measurement = async (site) => [
  ...(await killed(site)),
  await quick(site),
  await paced(site),
  await grouped(site),
]

async function killed({ broker, say }: Site): Promise<Figure[]> {
  const queue = 'letters-killed'
  await fillWithLetters(broker, queue, LETTERS)
  const { lost, doubled, unnamed, killed: times, named } = await replayKilled(broker, queue, LETTERS, KILLS)
  say(
    `  killed ${times} times, ${named} letters named by then: ${doubled} of ${LETTERS} are in their queue twice`,
  )
  const what = `replay of ${LETTERS} dead letters, killed ${KILLS} times`
  return [none(`${what}: lost`, lost), none(`${what}: doubles that its output has not named`, unnamed)]
}

async function quick(site: Site): Promise<Figure> {
  const { milliseconds } = await replayed(site, 'letters-quick', MANY, [])
  site.say(`  ${((MANY / milliseconds) * 1_000).toFixed(0)} a second, from the first line to the exit`)
  const value = (milliseconds / MANY) * 1_000
  return { what: `replay of ${MANY} dead letters: time for 1,000`, value, atMost: 200, unit: 'ms' }
}

async function paced(site: Site): Promise<Figure> {
  const { milliseconds } = await replayed(site, 'letters-paced', PACED, ['--rate', `${RATE}/s`])
  const rate = ((PACED - 1) / milliseconds) * 1_000
  site.say(`  --rate ${RATE}/s: ${rate.toFixed(2)} a second`)
  const value = (Math.abs(rate - RATE) / RATE) * 100
  return { what: `replay with --rate ${RATE}/s: off by`, value, atMost: 5, unit: '%' }
}

/** @returns how long it took, from the first letter that it names */
async function replayed({ broker, releases }: Site, queue: string, count: number, args: readonly string[]) {
  await fillWithLetters(broker, queue, count)
  const process = await start(broker.url, queue, ['replay', '--all', ...args])
  releases.push(() => process.kill())
  while (process.stdout.length === 0 && process.exit === undefined) await sleep(1)
  const begin = performance.now()
  const exit = await process.exited
  const milliseconds = performance.now() - begin
  if (exit.code !== 0 || process.stdout.length !== count)
    throw new Error(`${process.stdout.length} of ${count} were replayed; exit code ${exit.code}`)
  return { milliseconds }
}

async function grouped({ broker, releases, say }: Site): Promise<Figure> {
  const queue = 'letters-many'
  await fillWithLetters(broker, queue, LOOKED_AT, Buffer.alloc(BODY, 'x'))
  const begin = performance.now()
  const process = await start(broker.url, queue, ['list', '--group', '--json'])
  releases.push(() => process.kill())
  let peak = 0
  while (process.exit === undefined) {
    peak = Math.max(peak, peakOf(process))
    await sleep(20)
  }
  const counted = process.stdout.reduce((sum, line) => sum + (JSON.parse(line) as { count: number }).count, 0)
  if (counted !== LOOKED_AT) throw new Error(`${counted} of ${LOOKED_AT} were counted`)
  say(`  ${LOOKED_AT} letters of ${BODY} bytes: ${((performance.now() - begin) / 1_000).toFixed(1)} s`)
  const what = `list --group of ${LOOKED_AT} dead letters of 10 KiB: resident memory`
  return { what, value: peak / MIB, atMost: 200, unit: 'MB' }
}

const start = (url: string, queue: string, [action = '', ...args]: readonly string[]) =>
  spawnBridge(['dead-letters', action, ...args, '--url', url, '--queue', queue])

/** In bytes; 0 when it has just ended. */
function peakOf({ pid }: BridgeProcess): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
