import type { EffectiveConfig, Setting, Value } from './effective.ts'

/** The column in which sources stand, where there is room. */
const MARGIN = 44

/**
 * The configuration as a config file would have it, each value with its source.
 *
 * @param listed whether there is a list of bridges, rather than one at the top level
 */
export function formatConfig({ process, bridges }: EffectiveConfig, listed: boolean): readonly string[] {
  const top = process.flatMap(lines)
  if (!listed) return [...top, ...bridges.flat().flatMap(lines)]
  const entries = bridges.map((settings) => settings.flatMap(lines))
  return [...top, 'bridges:', ...entries.flatMap(indented)]
}

function lines({ name, value, source }: Setting): readonly string[] {
  if (value === undefined) return []
  if (typeof value !== 'object') return [commented(`${name}: ${plain(value)}`, source)]
  return [commented(`${name}:`, source), ...value.map((each) => `  - ${plain(each)}`)]
}

function commented(text: string, comment: string): string {
  return `${text.padEnd(MARGIN)} # ${comment}`
}

function indented(entry: readonly string[]): readonly string[] {
  return entry.map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`)
}

/** Quoted where YAML might take it for something else. */
function plain(value: Value): string {
  if (typeof value !== 'string') return String(value)
  const words = /^(?:true|false|null|yes|no|on|off|y|n)$/i
  const obvious = /^(?:[A-Za-z/][\w./-]*|amqps?:\/\/[\w.:@/%?=&*-]+|\d+[A-Za-z]+)$/
  return obvious.test(value) && !words.test(value) && !/^0[xo]/i.test(value) ? value : JSON.stringify(value)
}
