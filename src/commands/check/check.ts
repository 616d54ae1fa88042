import { complain, say, taken } from '../../command-line/output.ts'
import type { Signals } from '../../command-line/signals.ts'
import { Faults } from '../../config/option-error.ts'
import { OptionReader } from '../../config/reader.ts'
import { flag } from '../../config/values.ts'
import { type CheckInput, check as look } from '../../operate/check/check.ts'
import { ownCredentials } from '../../operate/check/credentials.ts'
import { type Fault, type Finding, faultOf } from '../../operate/check/finding.ts'
import type { Invocation } from '../command.ts'
import { TextReport } from './report.ts'

/** sysexits */
const EXIT: Readonly<Record<Fault, number>> = { unavailable: 69, configuration: 78 }
const [DONE, INCOMPLETE] = [0, 75]

/** What it is told beside the options of `run`. */
const OWN_OPTIONS = { json: flag, probe: flag }

/**
 * `fpm-bridge check`: looks at everything that `run` with the same options would need, and says what is wrong and what to do.
 *
 * @returns the exit code: 0 nothing has failed, 69 broker or pool cannot be reached, 75 after a signal, 78 something has to be changed
 * @throws {OptionError} where the command line is wrong, or the file of --config cannot be read
 */
export async function check({ options, unread, signals, version }: Invocation): Promise<number> {
  const given = options()
  new Faults(given.faults.filter(({ exitCode }) => exitCode === 64)).throwAny()
  const { json, probe } = new OptionReader(given.options).values(OWN_OPTIONS)
  const input = { given, unread, who: ownCredentials(), now: Date.now, probe, version }
  return Promise.race([report(input, json), left(signals)])
}

async function report(input: CheckInput, json: boolean): Promise<number> {
  const text = new TextReport(process.stdout.isTTY && process.stdout.hasColors())
  const findings: Finding[] = []
  for await (const finding of look(input)) {
    findings.push(finding)
    if (json) say(JSON.stringify(finding))
    else for (const line of text.linesOf(finding)) process.stdout.write(`${line}\n`)
  }
  if (!json) say(text.summary)
  // A pager takes it when somebody turns the page, and is waited for.
  await taken(process.stdout)
  const fault = faultOf(findings)
  return fault === undefined ? DONE : EXIT[fault]
}

function left(signals: Signals): Promise<number> {
  return new Promise((resolve) => {
    const end = (signal: NodeJS.Signals): void => {
      complain(`stopped: ${signal}; what is not told was not looked at`)
      resolve(INCOMPLETE)
    }
    const ignore = (signal: NodeJS.Signals): void =>
      complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`)
    signals.listen({ end, leave: end, hangUp: ignore, toggleDebug: ignore, ignore })
  })
}
