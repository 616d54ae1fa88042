import { digits } from './table.ts'
import type { ThroughputRow } from './throughput-table.ts'

const WIDTH = 800
const LABELS = 290
const BARS = 380
const LINE = 26
const TOP = 44

/**
 * The throughput as an SVG for the documentation: a bar for each median, a thin line from the slowest to the fastest
 * round. Readable on light and dark pages; no script, no font of its own.
 *
 * @param machine one line, set below
 */
export function picture(rows: readonly ThroughputRow[], machine: string): string {
  const fastest = Math.max(...rows.map(({ rate }) => rate.most))
  const x = (rate: number): number => LABELS + Math.round((rate / fastest) * BARS)
  const height = TOP + rows.length * LINE + 40
  const lines = rows.map(({ name, rate, cpu }, index) => {
    const middle = TOP + index * LINE + LINE / 2
    const kind = name.startsWith('fpm-bridge') ? 'ours' : 'peer'
    const used = [cpu.daemon, cpu.broker, cpu.pool]
      .filter(Number.isFinite)
      .reduce((sum, part) => sum + part, 0)
    return [
      `<text x="${LABELS - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${kind}" x="${LABELS}" y="${middle - 8}" width="${Math.max(1, x(rate.median) - LABELS)}" height="16"/>`,
      `<path class="range" d="M${x(rate.least)} ${middle}H${x(rate.most)}"/>`,
      `<text x="${LABELS + BARS + 8}" y="${middle + 4}">${digits(rate.median)}/s, ${digits(used)} us</text>`,
    ].join('')
  })
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">`,
    '<title id="title">Messages per second, and CPU per message, of fpm-bridge and its peers</title>',
    '<style>',
    'text{font:13px system-ui,sans-serif;fill:#24292f}.small{font-size:11px}.ours{fill:#2f6fd0}.peer{fill:#9aa4b0}',
    '.range{stroke:#24292f;stroke-width:1.5}',
    '@media(prefers-color-scheme:dark){text{fill:#d7dde4}.ours{fill:#6ea2f5}.peer{fill:#66707c}.range{stroke:#d7dde4}}',
    '</style>',
    `<text x="${LABELS}" y="24">messages per second; CPU of daemon, broker and pool for each</text>`,
    ...lines,
    `<text class="small" x="8" y="${height - 12}">${escaped(machine)}</text>`,
    '</svg>',
  ].join('\n')}\n`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
