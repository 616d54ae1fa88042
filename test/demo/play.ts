import { setTimeout as sleep } from 'node:timers/promises'
import type { BridgeProcess } from '../support/bridge-process.ts'
import { readWorkerLog } from '../support/worker-log.ts'
import { observe } from './observation.ts'
import { CALLERS, type DemoOptions, idealTime } from './options.ts'
import { type Screen, seconds } from './screen.ts'
import { QUEUE, type Stage } from './stage.ts'
import { type Ending, judge, summarize } from './verdict.ts'

/** Milliseconds without an execution, the worker's sleep not counted, after which the run is given up. */
const STANDSTILL = 20_000

/**
 * The callers publish, the first daemon consumes, the others join one after another; when everything is executed, the
 * daemons are ended.
 *
 * @returns what was not as it should be, line by line; empty when all was well
 * @throws when the run cannot come to its end: the message says which process failed, and with what last words
 */
export async function play(
  stage: Stage,
  options: DemoOptions,
  daemonIds: readonly string[],
  screen: Screen,
): Promise<string[]> {
  const { messages } = options
  const counts = Array.from({ length: CALLERS }, (_, caller) => Math.ceil((messages - caller) / CALLERS))
  const startedAt = performance.now()
  const callers = await Promise.all(counts.filter((count) => count > 0).map(stage.startCaller))
  const daemons = [await stage.startDaemon(daemonIds[0] as string)]
  screen.say(
    `${callers.length} callers publish ${messages} messages at once, and ${daemonIds[0]} consumes them.`,
  )

  let lastMove = { executed: 0, at: startedAt }
  for (;;) {
    const now = await observe(stage.broker, QUEUE, stage.pool.statusSocket, stage.workerLog)
    screen.show(now, performance.now() - startedAt)
    if (now.executed >= messages && now.busy === 0) break

    const next = daemonIds[daemons.length]
    if (next !== undefined && now.executed >= (messages * daemons.length) / daemonIds.length) {
      screen.say(`${next} joins after ${now.executed} executions.`)
      daemons.push(await stage.startDaemon(next))
    }
    if (now.executed > lastMove.executed) lastMove = { executed: now.executed, at: performance.now() }
    if (performance.now() - lastMove.at > STANDSTILL + options.sleep) {
      throw new Error(`Nothing was executed for ${seconds(STANDSTILL)}. ${lastWords(daemons)}`)
    }
    if (daemons.some(({ exit }) => exit !== undefined))
      throw new Error(`A daemon ended. ${lastWords(daemons)}`)
    if (callers.some(({ exit }) => exit !== undefined && exit.code !== 0)) {
      throw new Error(`A caller could not publish all of its messages. ${lastWords(callers)}`)
    }
    await sleep(100)
  }

  screen.leave()
  screen.say(
    `All done after ${seconds(performance.now() - startedAt)}; ideal: ${seconds(idealTime(options))}.`,
  )
  const unclean = [...(await uncleanExits(callers)), ...(await drain(daemons))]
  const ending: Ending = {
    callers: counts,
    daemonIds,
    executions: readWorkerLog(stage.workerLog),
    queueLines: await listQueues(stage),
  }
  for (const line of summarize(ending)) screen.say(line)
  return [...unclean, ...judge(ending)]
}

async function drain(daemons: readonly BridgeProcess[]): Promise<string[]> {
  for (const daemon of daemons) daemon.signal('SIGTERM')
  return uncleanExits(daemons)
}

async function uncleanExits(processes: readonly BridgeProcess[]): Promise<string[]> {
  await Promise.all(processes.map(({ exited }) => exited))
  const failed = processes.filter(({ exit }) => exit?.code !== 0)
  return failed.map((process) => `process ${process.pid} did not exit with 0. ${lastWords([process])}`)
}

async function listQueues({ broker }: Stage): Promise<string[]> {
  const columns = ['name', 'messages_ready', 'messages_unacknowledged']
  const table = await broker.ctl('list_queues', '--silent', '--no-table-headers', ...columns)
  return table.trim().replaceAll('\t', ' ').split('\n')
}

function lastWords(processes: readonly BridgeProcess[]): string {
  const words = processes.map(({ pid, exit, log }) => {
    const state = exit === undefined ? 'running' : `ended with ${exit.code ?? exit.signal}`
    return `${pid} (${state}): ${log.at(-1)?.message ?? 'no word'}`
  })
  return `Last words: ${words.join('; ')}`
}
