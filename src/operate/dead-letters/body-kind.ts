import { isUtf8 } from 'node:buffer'

/** What a body is, for somebody who reads it. */
export type BodyKind = 'json' | 'text' | 'hex'

/** Bytes of what is laid out as JSON: white space may make it a hundred times as long. */
const MAX_JSON = 1024 * 1024

export function kindOf(body: Buffer): BodyKind {
  if (!isUtf8(body) || controlsIn(body) > 0) return 'hex'
  return body.length <= MAX_JSON && isJson(body.toString()) ? 'json' : 'text'
}

/** Control characters of a text in UTF-8 (Unicode's Cc), but for tabs and line ends. */
export function controlsIn(text: Buffer): number {
  let controls = 0
  let previous = 0
  // An iterator takes ten times as long.
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] as number
    const isLow = byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d
    const isHigh = previous === 0xc2 && byte < 0xa0
    if (isLow || isHigh || byte === 0x7f) controls += 1
    previous = byte
  }
  return controls
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}
