import { complain, remark, say, taken } from '../../command-line/output.ts'
import { Progress } from '../../command-line/progress.ts'
import type { Signals } from '../../command-line/signals.ts'
import { type InvokeConfig, readInvokeConfig } from '../../config/invoke-config.ts'
import type { InvokedMessage } from '../../operate/invoke/invoked-delivery.ts'
import { type InvokeEnd, Invoker, whenStopped } from '../../operate/invoke/invoker.ts'
import { runLoad } from '../../operate/invoke/load.ts'
import type { Verdict } from '../../operate/invoke/verdict.ts'
import type { Invocation } from '../command.ts'
import { refuseNonSockets } from '../pool-sockets.ts'
import { complainOfUnread } from '../tell-unread.ts'
import { invokedAsJson, loadAsJson } from './as-json.ts'
import { shownBody } from './body-text.ts'
import { headLines, loadLines, tailLines } from './invoked-text.ts'
import { readBody } from './read-body.ts'

/** sysexits */
const EXIT = { done: 0, deadLetter: 65, unavailable: 69, incomplete: 75 } as const

/**
 * `fpm-bridge invoke`: one message straight to the pool, as a daemon would send it, and what would become of it. No broker is asked.
 *
 * @returns the exit code: 0 executed with success, 65 the message would be dead-lettered, 69 no pool, 75 any other failure, or a signal;
 * of several executions the highest
 * @throws {OptionError} 65 also for a message that is too large
 */
export async function invoke({ words, options, unread, version, signals }: Invocation): Promise<number> {
  const config = readInvokeConfig(options(), words)
  const { bridge, source, properties, attempt } = config
  await refuseNonSockets([bridge])
  complainOfUnread(unread)
  const stop = new AbortController()
  listen(signals, stop)
  const body = await Promise.race([readBody(source, bridge.maxBody, process.stdin), whenStopped(stop.signal)])
  if (body === 'stopped') return EXIT.incomplete
  const invoker = new Invoker(bridge, version, stop.signal)
  const message = { body, properties, attempt }
  try {
    const exitCode =
      config.repeat === undefined
        ? tell(await invoker.invoke(message), config)
        : await load(invoker, message, config.repeat, config)
    // A pager takes an answer when somebody turns the page, and is waited for.
    const end = await Promise.race([taken(process.stdout), whenStopped(stop.signal)])
    return end === 'stopped' ? EXIT.incomplete : exitCode
  } finally {
    invoker.close()
  }
}

/** The body goes to standard output, as `publish --wait-reply` has it; what is said of it to standard error. */
function tell(invoked: InvokeEnd, { json }: InvokeConfig): number {
  if (invoked === 'stopped') return EXIT.incomplete
  if (json) say(JSON.stringify(invokedAsJson(invoked)))
  else {
    for (const line of headLines(invoked)) remark(line)
    writeBody(invoked.answer?.body ?? Buffer.alloc(0))
    for (const line of tailLines(invoked)) remark(line)
  }
  return exitCodeOf(invoked.verdict)
}

function writeBody(body: Buffer): void {
  if (!process.stdout.isTTY) process.stdout.write(body)
  else if (body.length > 0) process.stdout.write(`${shownBody(body).replace(/\n$/, '')}\n`)
}

async function load(
  invoker: Invoker,
  message: InvokedMessage,
  repeat: number,
  { bridge, json }: InvokeConfig,
): Promise<number> {
  const progress = new Progress(process.stderr, repeat)
  const report = await runLoad(invoker, bridge, message, { repeat, onDone: (done) => progress.update(done) })
  progress.clear()
  if (report.end === 'no-pool') complain(`stopped after ${report.done} of ${repeat}: there is no pool`)
  if (json) say(JSON.stringify(loadAsJson(report)))
  else for (const line of loadLines(report)) say(line)
  const exitCodes = report.verdicts.map(exitCodeOf)
  return Math.max(EXIT.done, ...exitCodes, report.end === 'stopped' ? EXIT.incomplete : EXIT.done)
}

function exitCodeOf({ success, noPool, outcome }: Verdict): number {
  if (success) return EXIT.done
  if (noPool) return EXIT.unavailable
  return outcome === 'dead-letter' ? EXIT.deadLetter : EXIT.incomplete
}

function listen(signals: Signals, stop: AbortController): void {
  const ignore = (signal: NodeJS.Signals): void =>
    complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`)
  signals.listen({
    end(signal) {
      complain(`stopped: ${signal}; what the pool has begun may go on`)
      stop.abort()
    },
    // The first one has ended it already.
    leave() {},
    hangUp: ignore,
    toggleDebug: ignore,
    ignore,
  })
}
