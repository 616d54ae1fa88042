/**
 * A header table as one line of JSON. What JSON has no value for becomes an object `{"!":type,"value":...}`:
 *
 * - a byte array: `{"!":"base64","value":"aGk="}`
 * - a float that is no number: `{"!":"float","value":"NaN"}`, `"Infinity"` or `"-Infinity"`
 * - timestamps, decimals, and tables within the table that have a field called `!` themselves: these come so already.
 *
 * @param headers as they were decoded
 * @returns undefined for one that nests deeper than PHP's json_decode reads
 */
export function headersToJson(headers: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return write(headers, 1)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** What json_decode takes: 512 levels, of which a scalar is one. */
const MAX_DEPTH = 511

/**
 * JSON.stringify would do neither: it has no byte arrays, no bigints, no minus zero.
 *
 * @param depth of the value, from 1
 * @throws {RangeError} beyond MAX_DEPTH
 */
function write(value: unknown, depth: number): string {
  if (typeof value === 'number') return writeNumber(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (ArrayBuffer.isView(value)) return tagged('base64', (value as Buffer).toString('base64'))
  if (depth > MAX_DEPTH) throw new RangeError('too deep')
  if (Array.isArray(value)) return `[${value.map((element) => write(element, depth + 1)).join()}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${write(field, depth + 1)}`).join()}}`
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return tagged('float', String(value))
  return Object.is(value, -0) ? '-0.0' : JSON.stringify(value)
}

function tagged(type: string, value: string): string {
  return `{"!":"${type}","value":"${value}"}`
}
