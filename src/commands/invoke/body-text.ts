import { escapeInvisible } from '../../observe/invisible.ts'

/** Bytes in a line of a dump, and bytes that are dumped: of what is no text the beginning tells what it is. */
const PER_LINE = 16
const DUMPED = 4_096

/** The text that bytes are, or undefined: not UTF-8, or with a NUL. */
export function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** For a terminal: text with its lines and tabs, and whatever else a terminal would obey escaped; anything else as a dump. */
export function shownBody(body: Buffer): string {
  const text = textOf(body)
  if (text === undefined) return dump(body)
  const parts = text.split(/(\r?\n|\t)/)
  return parts.map((part, index) => (index % 2 === 1 ? part : escapeInvisible(part))).join('')
}

/** `00000010  7b 22 6e 22 ...  {"n"...` */
function dump(bytes: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < Math.min(bytes.length, DUMPED); at += PER_LINE) {
    const line = bytes.subarray(at, Math.min(at + PER_LINE, DUMPED))
    const hex = [...line].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const plain = line.toString('latin1').replace(/[^ -~]/g, '.')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(PER_LINE * 3)} ${plain}`)
  }
  if (bytes.length > DUMPED) lines.push(`... ${bytes.length - DUMPED} bytes more`)
  return lines.join('\n')
}
