import { complain, say } from '../../command-line/output.ts'
import { kindOf } from '../../operate/dead-letters/body-kind.ts'
import { type Found, find } from '../../operate/dead-letters/edit.ts'
import { fieldsToJson } from '../../operate/dead-letters/header-text.ts'
import { layOutJson } from '../../operate/dead-letters/json-layout.ts'
import { bodyToJson } from '../../operate/dead-letters/letter-text.ts'
import { propertiesToJson } from '../../operate/dead-letters/property-text.ts'
import { sayJson } from './letter-json.ts'
import { ageOf } from './letter-table.ts'
import { EXIT, type Task } from './with-place.ts'

/** Bytes of a body that are shown; an export has all. */
const SHOWN = 256 * 1024

/** `dead-letters show ID`: all there is to one letter. */
export async function show({ config, place, signal, watch, clear }: Task): Promise<number> {
  const found = await find(place, config.words[0] ?? '', watch, signal)
  clear()
  if (found === undefined) return EXIT.incomplete
  if (config.json) {
    const { letter, content } = found
    const { properties, headers, body } = content
    const json = { ...letter, properties: propertiesToJson(properties), headers: fieldsToJson(headers) }
    sayJson({ ...json, ...bodyToJson(letter, body) })
    return EXIT.done
  }
  for (const line of linesOf(found)) say(line)
  if (found.alike > 1) complain(`${found.alike} letters are alike in everything; the id names all of them`)
  return EXIT.done
}

function* linesOf({ letter, content }: Found): Generator<string> {
  const { time, stderr, defect, ...known } = letter
  const died = time === undefined ? undefined : `${new Date(time).toISOString()} (${ageOf(time)} ago)`
  for (const [name, value] of Object.entries({ ...known, died, defect }))
    if (value !== undefined) yield `${NAMES[name] ?? name}`.padEnd(14) + String(value)
  yield* ['', 'properties']
  for (const [name, value] of Object.entries(propertiesToJson(content.properties)))
    yield `  ${name}: ${value}`
  yield* ['', 'headers']
  for (const field of fieldsToJson(content.headers)) yield `  ${JSON.stringify(field)}`
  if (stderr !== undefined) {
    yield* ['', 'stderr']
    for (const line of stderr.split('\n')) yield `  ${line}`
  }
  yield* bodyLines(content.body)
}

const NAMES: Readonly<Record<string, string>> = {
  messageId: 'message id',
  madeBy: 'made by',
  deliveryCount: 'came back',
}

function* bodyLines(body: Buffer): Generator<string> {
  const kind = kindOf(body)
  yield* ['', `body (${body.length} bytes, ${kind})`]
  const shown = body.subarray(0, SHOWN)
  if (kind === 'hex') yield* hexLines(shown)
  else {
    const text = shown.toString()
    // What is cut off is no JSON any more.
    yield* (kind === 'json' && shown.length === body.length ? layOutJson(text, '  ') : text).split('\n')
  }
  if (shown.length < body.length)
    yield `... ${body.length - shown.length} bytes more; dead-letters export has them`
}

/** 16 bytes a line, with what is readable of them. */
function* hexLines(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; at += 16) {
    const part = bytes.subarray(at, at + 16)
    const digits = part.toString('hex').replaceAll(/(..)/g, '$1 ').padEnd(48)
    yield `${at.toString(16).padStart(8, '0')}  ${digits} ${part.toString('latin1').replaceAll(/[^ -~]/g, '.')}`
  }
}
