/*
 * Values of a JSON text that somebody may have written by hand: what could not become just these bytes is refused, never made to fit.
 */

/** A value as JSON has it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** @throws {TypeError} */
export function objectIn(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>
  throw new TypeError(`${what} must be a JSON object`)
}

/** As UTF-8. @throws {TypeError} for half a surrogate pair, which Buffer.from would replace */
export function bytesOfText(text: string): Buffer {
  if (!text.isWellFormed()) throw new TypeError('must be a text without halves of surrogate pairs')
  return Buffer.from(text)
}

/** @throws {TypeError} where Buffer.from would leave out what is no base64 */
export function bytesOfBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new TypeError('must be base64, with its padding')
  return bytes
}
