/**
 * A header table as one line of JSON. What JSON has no value for becomes an object `{"!":type,"value":...}`, as amqplib
 * itself has it for timestamps and decimals:
 *
 * - a byte array: `{"!":"base64","value":"aGk="}`
 * - a float that is no number: `{"!":"float","value":"NaN"}`, `"Infinity"` or `"-Infinity"`
 *
 * @param headers as amqplib decodes them
 * @returns undefined for a table that nests deeper than the stack
 */
export function headersToJson(headers: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return write(headers)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * JSON.stringify would not do: it asks a byte array for its own notion of JSON, even where it is only the prototype that
 * amqplib gives to a table with a field called `__proto__`. `instanceof` is deceived by it as well.
 */
function write(value: unknown): string {
  if (ArrayBuffer.isView(value)) return tagged('base64', (value as Buffer).toString('base64'))
  if (Array.isArray(value)) return `[${value.map(write).join()}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`).join()}}`
  }
  if (typeof value === 'number') return writeNumber(value)
  return JSON.stringify(value)
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return tagged('float', String(value))
  return Object.is(value, -0) ? '-0.0' : JSON.stringify(value)
}

function tagged(type: string, value: string): string {
  return `{"!":"${type}","value":"${value}"}`
}
