import { escapeInvisible } from '../../observe/invisible.ts'

/** Bytes in a line of a dump, and bytes that are dumped: of what is no text the beginning tells what it is. */
const PER_LINE = 16
const DUMPED = 4_096

/** Bytes of a text that are shown: nobody reads more on a terminal, and each takes many times its own memory. */
const SHOWN = 1024 ** 2

/**
 * The text that bytes are, or undefined: not UTF-8, or with a NUL.
 *
 * @param goesOn whether more bytes follow, so that the last character may be cut
 */
export function textOf(bytes: Buffer, goesOn = false): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: goesOn })
  } catch {
    return undefined
  }
}

/**
 * For a terminal: text with its lines and tabs, and whatever else a terminal would obey escaped; anything else as a dump. Of either the
 * beginning.
 */
export function shownBody(body: Buffer): string {
  const left = body.length - SHOWN
  const text = textOf(body.subarray(0, SHOWN), left > 0)
  if (text === undefined) return dump(body)
  const parts = text.split(/(\r?\n|\t)/)
  const shown = parts.map((part, index) => (index % 2 === 1 ? part : escapeInvisible(part))).join('')
  return left > 0 ? `${shown}\n${more(left)}` : shown
}

function more(bytes: number): string {
  return `... ${bytes} bytes more`
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
  if (bytes.length > DUMPED) lines.push(more(bytes.length - DUMPED))
  return lines.join('\n')
}
