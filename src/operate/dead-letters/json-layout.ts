/** What stands in a JSON text: texts, white space, and the rest, a character each where it is a bracket, a comma or a colon. */
const TOKEN = /"(?:[^"\\]+|\\.)*"|[\s]+|[{}[\],:]|[^\s{}[\],:"]+/gs

/**
 * Lays out a JSON text anew; numbers, texts and the order of members stay as they are written.
 *
 * @param indent what each level is set in by; empty: all in one line, without a space
 */
export function layOutJson(json: string, indent: string): string {
  const parts: string[] = []
  let depth = 0
  let previous = ''
  const newLine = (): void => {
    if (indent !== '') parts.push(`\n${indent.repeat(depth)}`)
  }
  for (const [token] of json.matchAll(TOKEN)) {
    if (token.trim() === '') continue
    const closes = token === '}' || token === ']'
    if (closes) depth -= 1
    const isEmpty = closes && (previous === '{' || previous === '[')
    if ((closes && !isEmpty) || (!closes && (previous === '{' || previous === '[' || previous === ',')))
      newLine()
    parts.push(token === ':' && indent !== '' ? ': ' : token)
    if (token === '{' || token === '[') depth += 1
    previous = token
  }
  return parts.join('')
}

/** What a body is, for somebody who reads it. */
export type BodyKind = 'json' | 'text' | 'hex'

export function kindOf(body: Buffer): BodyKind {
  const text = body.toString()
  if (!Buffer.from(text).equals(body) || /[^\P{Cc}\n\r\t]/u.test(text)) return 'hex'
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? 'json' : 'text'
  } catch {
    return 'text'
  }
}
