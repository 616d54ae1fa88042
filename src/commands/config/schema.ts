import { MAX_BRIDGES } from '../../command-line/config-file.ts'
import type { OptionSpec } from '../../command-line/option-spec.ts'
import { OPTIONS } from '../../command-line/options.ts'
import { BRIDGE_OPTIONS } from '../../config/bridge-options.ts'
import type { Schema, Table } from '../../config/parse.ts'
import { PROCESS_OPTIONS } from '../../config/process-config.ts'

const TABLE: Table = { ...PROCESS_OPTIONS, ...BRIDGE_OPTIONS }
const BOOLEAN: Schema = { type: 'boolean' }
const IN_FILE = OPTIONS.filter(({ name, scope }) => scope !== 'command-line' && name !== 'config')

/**
 * The JSON Schema of a config file (draft-07, which editors know best), made of the option table. It is a little stricter than the
 * reader, which takes numbers in quotes and names without.
 */
export function configSchema(): Schema {
  const ofBridge = IN_FILE.filter(({ scope }) => scope === 'bridge')
  const ofOneBridge = ofBridge.filter((spec) => spec.ofOneBridge)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of fpm-bridge',
    description:
      'Options of the process, and those of its bridge, or of each entry of bridges that does not say otherwise.',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...propertiesOf(IN_FILE),
      bridges: {
        description: 'Several bridges, each with a queue of its own.',
        type: 'array',
        minItems: 1,
        maxItems: MAX_BRIDGES,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['queue'],
          properties: {
            ...Object.fromEntries(ofBridge.map(({ name }) => [name, { $ref: `#/properties/${name}` }])),
            // No default: each entry has its own.
            ...propertiesOf(ofOneBridge.map(({ default: _, ...spec }) => spec)),
          },
        },
      },
    },
    // What only one bridge can have is not for all of them.
    if: { required: ['bridges'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: Object.fromEntries(ofOneBridge.map(({ name }) => [name, false])) },
  }
}

function propertiesOf(specs: readonly OptionSpec[]): Schema {
  return Object.fromEntries(specs.map((spec) => [spec.name, propertyOf(spec)]))
}

function propertyOf(spec: OptionSpec): Schema {
  const { name, kind, description, defaultDescription } = spec
  const value = kind === 'flag' ? BOOLEAN : (TABLE[name]?.schema ?? { type: 'string' })
  const several = { anyOf: [value, { type: 'array', items: value, minItems: 1 }] }
  return {
    description: defaultDescription === undefined ? description : `${description} [${defaultDescription}]`,
    ...(kind === 'list' ? several : value),
    ...defaultOf(spec, value),
  }
}

function defaultOf({ kind, default: text }: OptionSpec, { type }: Schema): Schema {
  if (text === undefined) return {}
  if (kind === 'flag') return { default: text === 'true' }
  return { default: type === 'integer' ? Number(text) : text }
}
