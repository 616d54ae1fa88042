import { fieldsToJson } from './header-text.ts'
import { kindOf, layOutJson } from './json-layout.ts'
import { type Content, headersFromJson, propertiesFromJson, propertiesToJson } from './letter-text.ts'

/*
 * A letter as a text that somebody edits: properties and headers as JSON, a line each, and the body below. What is not changed becomes the same
 * bytes again.
 */

const BODY = /^--- body, as (json|text|hex) ---$/m

const INDENT = '  '

/** What is wrong with an edited text. */
export class BadEdit extends Error {}

/** @param hint what is to be read above it; a line each, without line ends */
export function editableText({ properties, headers, body }: Content, hint: readonly string[]): string {
  const kind = kindOf(body)
  const fields = fieldsToJson(headers).map((field) => `    ${JSON.stringify(field)}`)
  return [
    ...hint.map((line) => `# ${line}`),
    '{',
    `  "properties": ${JSON.stringify(propertiesToJson(properties))},`,
    `  "headers": [${fields.length === 0 ? '' : `\n${fields.join(',\n')}\n  `}]`,
    '}',
    `--- body, as ${kind} ---`,
    BODY_TEXTS[kind](body),
    '',
  ].join('\n')
}

/**
 * @param original for what is not changed
 * @throws {BadEdit}
 */
export function editedContent(text: string, original: Content): Content {
  const mark = BODY.exec(text)
  if (mark === null) throw new BadEdit('the line "--- body, as json ---" (or text, or hex) is missing')
  const kind = mark[1] as keyof typeof BODY_TEXTS
  const head = text.slice(0, mark.index).replaceAll(/^#.*$/gm, '')
  const body = text.slice(mark.index + mark[0].length + 1).replace(/\n$/, '')
  const { properties, headers } = readHead(head)
  const isSame = kind === kindOf(original.body) && body === BODY_TEXTS[kind](original.body)
  return { properties, headers, body: isSame ? original.body : bodyIn(kind, body, original.body) }
}

function readHead(head: string): Pick<Content, 'properties' | 'headers'> {
  try {
    const { properties, headers } = JSON.parse(head) as Record<string, unknown>
    return { properties: propertiesFromJson(properties ?? {}), headers: headersFromJson(headers ?? []) }
  } catch (error) {
    throw new BadEdit(`properties and headers: ${(error as Error).message}`, { cause: error })
  }
}

const BODY_TEXTS = {
  json: (body: Buffer): string => layOutJson(body.toString(), INDENT),
  text: (body: Buffer): string => body.toString(),
  hex: (body: Buffer): string =>
    body
      .toString('hex')
      .replaceAll(/(.{64})/g, '$1\n')
      .trimEnd(),
}

function bodyIn(kind: keyof typeof BODY_TEXTS, text: string, original: Buffer): Buffer {
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
      if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new BadEdit('the body is not in pairs of hex digits')
      return Buffer.from(digits, 'hex')
    }
  }
}
