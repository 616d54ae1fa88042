import type { OptionSpec } from '../../command-line/option-spec.ts'
import { OPTIONS } from '../../command-line/options.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import { BRIDGE_OPTIONS } from '../../config/bridge-options.ts'
import type { Table } from '../../config/parse.ts'
import { PROCESS_OPTIONS } from '../../config/process-config.ts'
import type { GivenOptions, RawOption, RawOptions } from '../../config/reader.ts'
import type { RunConfig } from '../../config/run-config.ts'

export type Value = string | number | boolean

/** An option as it counts, and where that comes from: `--queue`, `FPM_BRIDGE_QUEUE`, `/etc/fpm-bridge.yaml:14`, `default`. */
export interface Setting {
  readonly name: string
  /** Without a password. Undefined where there is none: not set, or made up at each start. */
  readonly value: Value | readonly Value[] | undefined
  readonly source: string
}

export interface EffectiveConfig {
  readonly process: readonly Setting[]
  readonly bridges: readonly (readonly Setting[])[]
}

const IN_FILE = OPTIONS.filter(({ name }) => name !== 'config')
const TABLE: Table = { ...PROCESS_OPTIONS, ...BRIDGE_OPTIONS }

/** What follows from other options where it is not given. */
const DERIVED = new Map<string, (config: BridgeConfig) => Setting['value']>([
  ['name', ({ name }) => name],
  ['prefetch', ({ prefetch }) => prefetch],
  ['dead-letter-queue', ({ deadLetterQueue }) => deadLetterQueue],
  ['reply-allow', ({ replyAllow }) => replyAllow],
])

/** @param config what was read from the options, without a complaint */
export function effectiveConfig({ options, bridges }: GivenOptions, config: RunConfig): EffectiveConfig {
  return {
    process: settings('process', options),
    bridges: config.bridges.map((bridge, index) =>
      settings('bridge', new Map([...options, ...(bridges?.[index]?.own ?? [])]), bridge),
    ),
  }
}

type Printed = Readonly<Record<string, { readonly value: unknown; readonly source: string }>>

/** What JSON says of it. */
export interface PrintedConfig {
  readonly process: Printed
  readonly bridges: readonly Printed[]
}

export function printed({ process, bridges }: EffectiveConfig): PrintedConfig {
  return { process: byName(process), bridges: bridges.map(byName) }
}

function byName(settings: readonly Setting[]): Printed {
  return Object.fromEntries(settings.map(({ name, value = null, source }) => [name, { value, source }]))
}

function settings(
  scope: OptionSpec['scope'],
  options: RawOptions,
  bridge?: BridgeConfig,
): readonly Setting[] {
  return IN_FILE.filter((spec) => spec.scope === scope).map((spec) => {
    const option = options.get(spec.name)
    const derived = bridge && DERIVED.get(spec.name)?.(bridge)
    if (option === undefined) return { name: spec.name, value: derived, source: 'default' }
    const source = option.origin === 'default' ? 'default' : option.source
    return { name: spec.name, value: settingOf(spec, option), source }
  })
}

function settingOf({ name, kind, secret }: OptionSpec, { values }: RawOption): Setting['value'] {
  const type = TABLE[name]?.schema?.['type']
  const typed = values.map((text): Value => {
    if (secret) return withoutPassword(text)
    if (type === 'integer') return Number(text)
    return kind === 'flag' ? text === 'true' : text
  })
  return kind === 'list' ? typed : typed[0]
}

/** @param text a URL, which has been read */
function withoutPassword(text: string): string {
  const url = new URL(text)
  if (url.password !== '') url.password = '***'
  return url.href
}
