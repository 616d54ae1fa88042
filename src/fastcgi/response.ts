/** The head of a CGI response: what stands before the first empty line. */
export interface ResponseHead {
  readonly status: number
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Where the body begins. */
  readonly bodyOffset: number
}

const LF = 0x0a
const CR = 0x0d

/** Characters of a head that is remembered. */
const REMEMBERED = 4_096

/** The last one: the answers of a worker differ in their bodies, and seldom in their heads. */
let lastHead = ''
let lastParsed: ResponseHead | undefined

/**
 * Splits a CGI response (RFC 3875, section 6) into head and body. Lines end with CR LF or LF.
 *
 * @param stdout the beginning of the stdout stream, with at least the whole head in it
 * @returns `undefined` when there is no head: no empty line, or a line before it that is no header field
 */
export function parseResponseHead(stdout: Buffer): ResponseHead | undefined {
  if (lastParsed !== undefined && stdout.toString('latin1', 0, lastHead.length) === lastHead)
    return lastParsed
  const parsed = parse(stdout)
  if (parsed !== undefined && parsed.bodyOffset <= REMEMBERED) {
    lastHead = stdout.toString('latin1', 0, parsed.bodyOffset)
    lastParsed = parsed
  }
  return parsed
}

function parse(stdout: Buffer): ResponseHead | undefined {
  const headers = new Map<string, string[]>()
  let offset = 0
  for (;;) {
    const end = stdout.indexOf(LF, offset)
    if (end === -1) return undefined
    const line = stdout.toString('latin1', offset, stdout[end - 1] === CR && end > offset ? end - 1 : end)
    offset = end + 1
    if (line === '') return { status: readStatus(headers.get('status')), headers, bodyOffset: offset }
    const colon = line.indexOf(':')
    if (colon < 1) return undefined
    const name = line.slice(0, colon).trimEnd().toLowerCase()
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [line.slice(colon + 1).trim()])
    else values.push(line.slice(colon + 1).trim())
  }
}

/** php-fpm leaves the Status line out for 200. */
function readStatus(values: readonly string[] | undefined): number {
  if (values === undefined) return 200
  const digits = /^(\d{3})(?:\s|$)/.exec(values[0] ?? '')?.[1]
  return digits === undefined ? Number.NaN : Number(digits)
}
