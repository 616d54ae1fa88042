import { setTimeout as sleep } from 'node:timers/promises'
import { BrokerList } from '../../amqp/broker-list.ts'
import { formatBrokerUrl } from '../../amqp/broker-url.ts'
import { complain, say } from '../../command-line/output.ts'
import { OptionError } from '../../config/option-error.ts'
import { readTopConfig, type TopConfig } from '../../config/top-config.ts'
import { logLines } from '../../observe/log-lines.ts'
import { createLogger } from '../../observe/logger.ts'
import { AdminSource } from '../../operate/fleet-view/admin-source.ts'
import { ControlSource } from '../../operate/fleet-view/control-source.ts'
import { FleetFollower } from '../../operate/fleet-view/follower.ts'
import { type FleetSource, FleetUnseen } from '../../operate/fleet-view/source.ts'
import type { Invocation } from '../command.ts'
import { complainOfSilence } from '../control/reports.ts'
import { complainOfUnread } from '../tell-unread.ts'
import { Live } from './live.ts'
import { picture } from './picture.ts'
import type { TopState } from './view-state.ts'

/** sysexits */
const EXIT = { done: 0, unavailable: 69, configuration: 78 } as const

/** Milliseconds between the two looks of one picture: rates are differences. */
const BETWEEN = 1_000
/** Milliseconds that the broker has for a goodbye. */
const GOODBYE = 500
/** Columns where nobody says how many there are. */
const WIDE = 200

/**
 * `fpm-bridge top`: the daemons of a fleet, live; without a terminal, or with --once, one picture.
 *
 * @returns the exit code: 0, 69 where there is no broker, or nobody answers (one picture), 78 where the broker refuses
 * @throws {OptionError}
 */
export async function top({ options, unread, signals }: Invocation): Promise<number> {
  const config = readTopConfig(options())
  complainOfUnread(unread)
  const live = !config.once && process.stdin.isTTY && process.stdout.isTTY
  if (live) refuseDumbTerminal(process.env['TERM'])
  const source = openSource(config)
  const follower = new FleetFollower()
  try {
    // What cannot be seen at all is told where it can be read.
    const first = await lookAt(source, follower)
    if (!live) return await onePicture(source, follower, first, signals)
    await new Live(source, follower, first, (process.env['NO_COLOR'] ?? '') === '').run(signals)
    return EXIT.done
  } catch (error) {
    if (!(error instanceof FleetUnseen)) throw error
    complain(error.message)
    return error.permanent ? EXIT.configuration : EXIT.unavailable
  } finally {
    await Promise.race([source.close().catch(() => {}), sleep(GOODBYE)])
  }
}

function refuseDumbTerminal(terminal: string | undefined): void {
  if (terminal === undefined || terminal === '' || terminal === 'dumb')
    throw new OptionError('this terminal (TERM) cannot show a picture that moves: fpm-bridge top --once', 78)
}

function openSource({ source, queue }: TopConfig): FleetSource {
  if (source.kind === 'admin') return new AdminSource(source.address, source.token)
  const log = createLogger({ level: 'error', format: 'text', stream: process.stderr, fields: {} })
  const brokers = new BrokerList(source.brokers, logLines(log))
  return new ControlSource(brokers, source.brokers.map(formatBrokerUrl).join(', '), queue)
}

async function lookAt(source: FleetSource, follower: FleetFollower): Promise<TopState> {
  const sight = follower.take(await source.look(), performance.now(), Date.now())
  return {
    source: source.name,
    canAct: source.act !== undefined,
    sight,
    trouble: undefined,
    selected: undefined,
    asking: undefined,
    notice: undefined,
  }
}

/** Rates, and what daemons have had to find out, are there with the second look. */
async function onePicture(
  source: FleetSource,
  follower: FleetFollower,
  first: TopState,
  signals: Invocation['signals'],
): Promise<number> {
  const state = await Promise.race([
    sleep(BETWEEN).then(() => lookAt(source, follower)),
    new Promise<TopState>((resolve) => {
      const end = (): void => resolve(first)
      const ignore = (): void => {}
      signals.listen({ end, leave: end, hangUp: end, toggleDebug: ignore, ignore })
    }),
  ])
  if (state.sight?.daemons.length === 0) {
    complainOfSilence()
    return EXIT.unavailable
  }
  const size = { columns: process.stdout.columns ?? WIDE, rows: Number.POSITIVE_INFINITY }
  for (const { text } of picture(state, size)) say(text.trimEnd())
  return EXIT.done
}
