import { setTimeout as sleep } from 'node:timers/promises'
import { Stand } from '../chaos/stand.ts'
import { takeAway } from '../chaos/worker.ts'
import { eventually } from '../support/eventually.ts'
import { type Measurement, none, type Site, seconds } from './figure.ts'
import { publishMany } from './load.ts'

const MESSAGES = 5_000
/** Milliseconds. */
const BROKEN = 24_000

const ARGS = ['--require-marker', '--max-attempts', '3', '--retry-delay', '500ms']

const open = ({ broker, releases }: Site, queue: string): Promise<Stand> =>
  Stand.open({ broker, mode: 'completed', queue, pool: {} }, releases)

/** What the script loads is missing for a while, as in a deploy that went wrong. */
export const brokenApplication: Measurement = async (site) => {
  const stand = await open(site, 'broken-application')
  const bringBack = await takeAway(stand.worker.application)
  await publishMany(stand, 'M', MESSAGES)
  await stand.startDaemon({ args: ARGS })
  await sleep(BROKEN)
  const tried = stand.journal.read().length
  await bringBack()
  const mended = Date.now()
  const first = await eventually('something is executed again', () => firstDone(stand) ?? false, {
    within: 60_000,
    every: 10,
  }).catch(() => Number.POSITIVE_INFINITY)
  const isOver = async () => doneIn(stand) + (await stand.deadLettered()) >= MESSAGES
  await eventually('all are executed or given up', isOver, { within: 120_000 })
  site.say(`executions while it was broken: ${tried}`)
  return [
    none(`application broken for 24 s, ${MESSAGES} messages: dead letters`, await stand.deadLettered()),
    seconds('application broken for 24 s: dispatching again after the mend', first - mended, 2),
  ]
}

/** One message with which the application does not start, among good ones. */
export const poison: Measurement = async (site) => {
  const good = 1_000
  const stand = await open(site, 'poison')
  await publishMany(stand, 'before', good / 2)
  await stand.publish('poison', { breaks: true })
  await publishMany(stand, 'after', good / 2)
  await stand.startDaemon({ args: ARGS })
  const began = Date.now()
  await eventually('the good ones are done', () => doneIn(stand) >= good, { within: 120_000 })
  const done = Date.now()
  const given = async () => (await stand.deadLettered()) === 1
  const within = { within: 60_000 }
  const isGivenUp = await eventually('the other is dead-lettered', given, within).catch(() => false)
  const attempts = stand.journal.read().filter(({ id }) => id === 'poison').length
  site.say(`executions of the message that breaks it: ${attempts}`)
  return [
    seconds('one message that breaks the application: the other 1,000 are done', done - began, 10),
    none('one message that breaks the application: not dead-lettered in a minute', isGivenUp ? 0 : 1),
  ]
}

const doneIn = ({ journal }: Stand): number => journal.read().filter(({ event }) => event === 'done').length

/** When the first execution succeeded, in milliseconds since the epoch. */
const firstDone = ({ journal }: Stand): number | undefined =>
  journal.read().find(({ event }) => event === 'done')?.time
