import { clearScreenDown, moveCursor } from 'node:readline'
import type { Observation } from './observation.ts'
import { type DemoOptions, idealTime } from './options.ts'

/** Shows the run while it goes on. */
export interface Screen {
  /** @param elapsed milliseconds since the callers started */
  show(observation: Observation, elapsed: number): void
  /** A line that stays, above what is shown next. */
  say(line: string): void
  /** Lets what was shown last stay, too. */
  leave(): void
}

const BAR_WIDTH = 40
/** Lines where there is no terminal to draw on come about this often, in milliseconds. */
const LINE_INTERVAL = 1_000

/** Draws in place on a terminal, and writes plain lines anywhere else. */
export function openScreen(output: NodeJS.WriteStream, options: DemoOptions, daemonIds: string[]): Screen {
  const drawable = output.isTTY && process.env['TERM'] !== 'dumb'
  return drawable ? drawing(output, options, daemonIds) : lines(output, options, daemonIds)
}

function drawing(output: NodeJS.WriteStream, options: DemoOptions, daemonIds: string[]): Screen {
  const colored = output.hasColors() && !process.env['NO_COLOR']
  const paint = (code: number, text: string) => (colored ? `\x1b[${code}m${text}\x1b[0m` : text)
  let drawnLines = 0

  function erase(): void {
    moveCursor(output, -output.columns, -drawnLines)
    clearScreenDown(output)
    drawnLines = 0
  }

  return {
    show(now, elapsed) {
      const row = (label: string, count: number, of: number, text: string) => {
        const figures = `  ${label.padEnd(9)} ${text.padEnd(24)}`
        // A line of the terminal's full width would wrap, and the next erase() would miss a line.
        const room = Math.max(0, Math.min(BAR_WIDTH, output.columns - figures.length - 1))
        const filled = Math.round(room * Math.min(1, of === 0 ? 0 : count / of))
        const bar = paint(32, '█'.repeat(filled)) + paint(2, '░'.repeat(room - filled))
        return figures.slice(0, output.columns - 1) + bar
      }
      const { messages, children } = options
      const time = `${seconds(elapsed)} of ideally ${seconds(idealTime(options))}`
      const rows = [
        row('published', now.published, messages, `${now.published} of ${messages}`),
        row('queue', now.ready, messages, `${now.ready} ready, ${now.unacked} unacked`),
        row('children', busyOf(now, options), children, `${busyOf(now, options)} of ${children} busy`),
        ...daemonIds.map((id) => {
          const executed = now.byDaemon.get(id) ?? 0
          return row(id, executed, messages, `${executed} executed`)
        }),
        row('executed', now.executed, messages, `${now.executed} of ${messages}`),
        `  ${'time'.padEnd(9)} ${time}`.slice(0, output.columns - 1),
      ]
      erase()
      output.write(`${rows.join('\n')}\n`)
      drawnLines = rows.length
    },
    say(line) {
      erase()
      output.write(`${line}\n`)
    },
    leave() {
      drawnLines = 0
    },
  }
}

function lines(output: NodeJS.WriteStream, options: DemoOptions, daemonIds: string[]): Screen {
  let last = Number.NEGATIVE_INFINITY
  return {
    show(now, elapsed) {
      if (elapsed - last < LINE_INTERVAL) return
      last = elapsed
      const daemons = daemonIds.map((id) => `${id} ${now.byDaemon.get(id) ?? 0}`).join(', ')
      const queue = `ready ${now.ready}, unacked ${now.unacked}`
      const pool = `busy ${busyOf(now, options)}/${options.children}`
      const executed = `executed ${now.executed}/${options.messages} (${daemons})`
      output.write(
        `${seconds(elapsed).padStart(7)}: published ${now.published}, ${queue}, ${pool}, ${executed}\n`,
      )
    },
    say(line) {
      output.write(`${line}\n`)
    },
    leave() {},
  }
}

/** Milliseconds as `12.3 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`
}

/** php-fpm's status page counts a child twice whose connection is kept (php-src#14212). */
function busyOf({ busy }: Observation, { children }: Pick<DemoOptions, 'children'>): number {
  return Math.min(busy, children)
}
