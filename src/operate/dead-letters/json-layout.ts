/** Levels that are set in: deeper ones would make more white space than text. */
const MAX_DEPTH = 100

const BLANK = ' \t\r\n'
const PUNCTUATION = '{}[],:'

/**
 * Lays out a JSON text anew; numbers, texts and the order of members stay as they are written.
 *
 * @param indent what each level is set in by, down to the hundredth; empty: all in one line, without a space
 */
export function layOutJson(json: string, indent: string): string {
  const parts: string[] = []
  let depth = 0
  let previous = ''
  const newLine = (): void => {
    if (indent !== '') parts.push(`\n${indent.repeat(Math.min(depth, MAX_DEPTH))}`)
  }
  for (const token of tokensOf(json)) {
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

/** Without white space. By hand: an expression would keep the way back of each of a text's million escapes. */
function* tokensOf(json: string): Generator<string> {
  for (let at = 0; at < json.length; ) {
    const first = json.charAt(at)
    const end =
      first === '"' ? endOfText(json, at) : PUNCTUATION.includes(first) ? at + 1 : endOfWord(json, at)
    if (end > at) yield json.slice(at, end)
    // White space is a word of no length.
    at = Math.max(end, at + 1)
  }
}

function endOfText(json: string, start: number): number {
  let quote = start
  do {
    quote = json.indexOf('"', quote + 1)
    if (quote === -1) return json.length
  } while (isEscaped(json, quote))
  return quote + 1
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0
  while (json.charAt(at - 1 - backslashes) === '\\') backslashes += 1
  return backslashes % 2 === 1
}

/** Of a number, or of true, false or null. */
function endOfWord(json: string, start: number): number {
  let end = start
  while (end < json.length && !`${BLANK}${PUNCTUATION}"`.includes(json.charAt(end))) end += 1
  return end
}
