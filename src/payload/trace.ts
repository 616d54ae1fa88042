/*
 * Which trace headers of a message are passed on. What goes on as HTTP_* is what a web server would have let through, so
 * nothing is passed that the specifications do not allow:
 *
 * - Trace Context, W3C Recommendation of 23 November 2021: https://www.w3.org/TR/trace-context-1/
 * - Propagation format for distributed context: Baggage, W3C: https://www.w3.org/TR/baggage/
 */

export interface TraceParams {
  /** HTTP_TRACEPARENT, HTTP_TRACESTATE and HTTP_BAGGAGE, as far as there is something valid to say. */
  readonly params: Readonly<Record<string, string>>
  /** Those for which the message has a header that is not valid. */
  readonly invalid: readonly string[]
}

/** @param headers of a message; only `traceparent`, `tracestate` and `baggage`, so spelled, mean something */
export function traceParams(headers: Readonly<Record<string, unknown>>): TraceParams {
  const params: Record<string, string> = {}
  const invalid: string[] = []
  for (const [name, param, isValid] of RULES) {
    if (!Object.hasOwn(headers, name)) continue
    const value = headers[name]
    // A tracestate alone belongs to no trace (section 3.3).
    const belongs = name !== 'tracestate' || params['HTTP_TRACEPARENT'] !== undefined
    if (belongs && typeof value === 'string' && isValid(value)) params[param] = value
    else invalid.push(param)
  }
  return { params, invalid }
}

const RULES = [
  ['traceparent', 'HTTP_TRACEPARENT', isTraceparent],
  ['tracestate', 'HTTP_TRACESTATE', isTracestate],
  ['baggage', 'HTTP_BAGGAGE', isBaggage],
] as const

/** Characters of a traceparent or tracestate at most: what every vendor has to pass on of the latter (section 3.3.1.5). */
const MAX_TRACE = 512

/**
 * Section 3.2.2: version, trace-id, parent-id and flags, in lower-case hexadecimal digits; not version ff, no id of zeros. A
 * version to come may have more behind a hyphen (section 3.2.4).
 */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x20-\x7e]*)?$/

/** @returns the trace that a message belongs to: 32 hexadecimal digits; undefined where it says none that is valid */
export function traceIdIn(headers: Readonly<Record<string, unknown>>): string | undefined {
  const value = Object.hasOwn(headers, 'traceparent') ? headers['traceparent'] : undefined
  return typeof value === 'string' && isTraceparent(value) ? value.slice(3, 35) : undefined
}

export function isTraceparent(value: string): boolean {
  if (value.length > MAX_TRACE) return false
  const match = TRACEPARENT.exec(value)
  if (match === null) return false
  const [, version, more] = match
  return version !== '00' || more === undefined
}

/** Sections 3.3.1.1 to 3.3.1.3: at most 32 members, of which some may be empty, each key but once. */
export function isTracestate(value: string): boolean {
  if (value.length > MAX_TRACE) return false
  const members = value.split(',')
  if (members.length > MAX_STATE_MEMBERS) return false
  const keys = new Set<string>()
  for (const member of members.filter((text) => !BLANK.test(text))) {
    const [, key] = STATE_MEMBER.exec(member) ?? []
    if (key === undefined || keys.has(key)) return false
    keys.add(key)
  }
  return keys.size > 0
}

const MAX_STATE_MEMBERS = 32
/** Optional white space (RFC 7230, section 3.2.3). */
const OWS = '[ \\t]*'
const BLANK = new RegExp(`^${OWS}$`)

const STATE_KEY = '[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}'
/** A value may hold spaces, but not end with one. */
const STATE_MEMBER = new RegExp(
  `^${OWS}(${STATE_KEY})=[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]${OWS}$`,
)

/** Section 3.3.2: what has to be passed on in any case. */
const MAX_BAGGAGE_BYTES = 8_192
const MAX_BAGGAGE_MEMBERS = 180

/** Section 3.3.1: members `key=value` with properties behind semicolons, in ASCII, so that a character is a byte. */
export function isBaggage(value: string): boolean {
  if (value.length > MAX_BAGGAGE_BYTES) return false
  const members = value.split(',')
  return members.length <= MAX_BAGGAGE_MEMBERS && members.every(isBaggageMember)
}

function isBaggageMember(text: string): boolean {
  const [member = '', ...properties] = text.split(';')
  return BAGGAGE_MEMBER.test(member) && properties.every((property) => BAGGAGE_PROPERTY.test(property))
}

/** RFC 7230, section 3.2.6. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const BAGGAGE_VALUE = `=${OWS}[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*${OWS}`
const BAGGAGE_MEMBER = new RegExp(`^${OWS}${TOKEN}${OWS}${BAGGAGE_VALUE}$`)
const BAGGAGE_PROPERTY = new RegExp(`^${OWS}${TOKEN}${OWS}(${BAGGAGE_VALUE})?$`)
