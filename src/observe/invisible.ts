/**
 * What a reader does not see, or sees the rest of the line by: control characters (Cc), format characters such as those
 * that turn the direction of text or have no width (Cf), line and paragraph separators, halves of surrogate pairs (Cs).
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The text with every such character written as JSON would write it: `\u202e`. */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, escapeUnits)
}

/**
 * The same for a JSON text, whose value stays what it is. It is quick where there is nothing to do: looking for what needs
 * more than a byte in UTF-8 takes an eighth of the time that the expression takes.
 *
 * @param json without white space between its parts
 */
export function escapeInvisibleInJson(json: string): string {
  // JSON.stringify leaves one control character of ASCII as it is: DEL.
  return Buffer.byteLength(json) === json.length && !json.includes('\u007f') ? json : escapeInvisible(json)
}

/** Beyond the first 65,536 characters there are two units for each. */
function escapeUnits(character: string): string {
  let escaped = ''
  for (let index = 0; index < character.length; index += 1)
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  return escaped
}
