import { escapeInvisible } from '../../observe/invisible.ts'
import { type BodyKind, kindOf } from './body-kind.ts'
import { objectIn } from './exact-json.ts'
import { fieldsToJson } from './header-text.ts'
import { layOutJson } from './json-layout.ts'
import { type Content, headersFromJson } from './letter-text.ts'
import { propertiesFromJson, propertiesToJson } from './property-text.ts'

/*
 * A letter as a text that somebody edits: properties and headers as JSON, a line each, and the body below. What is not changed becomes the same
 * bytes again. Its lines end with a line feed alone: the separators of Unicode, which a header may have in it, end none.
 */

const BODY = /(?:^|\n)--- body, as (json|text|hex) ---(?:\n|$)/

const INDENT = '  '

/** Bytes of a body that an editor gets. */
const MAX_BODY = 64 * 1024 * 1024

/** Bytes in a line of hex digits. */
const HEX_LINE = 32

/** What is wrong with an edited text, or with a letter that cannot be one. */
export class BadEdit extends Error {}

/**
 * @param hint what is to be read above it; a line each
 * @throws {BadEdit} for a body of more than 64 MiB
 */
export function editableText({ properties, headers, body }: Content, hint: readonly string[]): string {
  if (body.length > MAX_BODY)
    throw new BadEdit(
      `its body has ${body.length} bytes, and ${MAX_BODY} can be edited: export it, and import what you have made of it`,
    )
  const kind = kindOf(body)
  const fields = fieldsToJson(headers).map((field) => `    ${lineOf(field)}`)
  return [
    ...hint.map((line) => `# ${escapeInvisible(line)}`),
    '{',
    `  "properties": ${lineOf(propertiesToJson(properties))},`,
    `  "headers": [${fields.length === 0 ? '' : `\n${fields.join(',\n')}\n  `}]`,
    '}',
    `--- body, as ${kind} ---`,
    BODY_TEXTS[kind](body),
    '',
  ].join('\n')
}

/** What nobody sees would get lost unseen. */
function lineOf(json: unknown): string {
  return escapeInvisible(JSON.stringify(json))
}

/**
 * @param original for what is not changed
 * @throws {BadEdit}
 */
export function editedContent(text: string, original: Content): Content {
  const mark = BODY.exec(text)
  if (mark === null) throw new BadEdit('the line "--- body, as json ---" (or text, or hex) is missing')
  const kind = mark[1] as BodyKind
  const head = text.slice(0, mark.index).split('\n')
  const body = text.slice(mark.index + mark[0].length).replace(/\n$/, '')
  const { properties, headers } = readHead(head.filter((line) => !line.startsWith('#')).join('\n'))
  const isSame = kind === kindOf(original.body) && body === BODY_TEXTS[kind](original.body)
  return { properties, headers, body: isSame ? original.body : bodyIn(kind, body, original.body) }
}

function readHead(head: string): Pick<Content, 'properties' | 'headers'> {
  try {
    const { properties, headers, ...others } = objectIn(JSON.parse(head), 'what is above the body')
    const [unknown] = Object.keys(others)
    if (unknown !== undefined) throw new TypeError(`there is no ${JSON.stringify(unknown)}`)
    return { properties: propertiesFromJson(properties ?? {}), headers: headersFromJson(headers ?? []) }
  } catch (error) {
    throw new BadEdit(`properties and headers: ${(error as Error).message}`, { cause: error })
  }
}

const BODY_TEXTS: Readonly<Record<BodyKind, (body: Buffer) => string>> = {
  json: (body) => layOutJson(body.toString(), INDENT),
  text: (body) => body.toString(),
  hex(body) {
    const lines: string[] = []
    for (let at = 0; at < body.length; at += HEX_LINE) lines.push(body.toString('hex', at, at + HEX_LINE))
    return lines.join('\n')
  },
}

function bodyIn(kind: BodyKind, text: string, original: Buffer): Buffer {
  switch (kind) {
    case 'text':
      return Buffer.from(text)
    case 'json':
      try {
        JSON.parse(text)
      } catch (error) {
        throw new BadEdit(`the body is no JSON: ${(error as Error).message}`, { cause: error })
      }
      // As it was before: in one line, or in several.
      return Buffer.from(original.includes('\n') ? text : layOutJson(text, ''))
    case 'hex': {
      const digits = text.replaceAll(/\s/g, '')
      const bytes = Buffer.from(digits, 'hex')
      // It ends at the first that is no digit.
      if (bytes.length * 2 !== digits.length) throw new BadEdit('the body is not in pairs of hex digits')
      return bytes
    }
  }
}
