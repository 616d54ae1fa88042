import { isUtf8 } from 'node:buffer'
import { bodyHint } from './body-hints.ts'
import { type Extra, FormEncoder } from './form-encoder.ts'
import { UnprocessableError } from './unprocessable.ts'

/** Bytes, of JSON and form together, up to which a form is made at once: some milliseconds. */
const AT_ONCE = 128 * 1024
/** Bytes between two looks at the clock. */
const BETWEEN_LOOKS = 64 * 1024
/** Milliseconds after which everything else gets its turn. */
const SLICE = 20

/** For all forms that are made at once. */
let encoder = new FormEncoder()
/** Resolves when the last of the forms that take longer is made: one at a time, so that slices and memory do not add up. */
let others: Promise<unknown> = Promise.resolve()

/**
 * Turns a JSON object or array into the form that PHP's `http_build_query(json_decode($body, true))` makes of
 * it, byte for byte, with one more key. A large one is made in slices of 20 ms, behind those that were begun before.
 *
 * `JSON.parse` cannot serve here: it moves integer-like keys to the front and loses integers beyond 2^53.
 *
 * @param extra set in the outermost array as PHP's `$data[$key] = $value` would: it replaces a key of the body. The key
 *   is no number
 * @returns a promise only of what is not made at once
 * @throws {UnprocessableError} or rejects with it: for what json_decode refuses; for scalars and null; for a form of more than
 *   128 MiB, counting what a later value of the same key replaces; for more than 1,048,576 members at once; for a key of more
 *   than 1 MiB
 */
export function encodeForm(body: Buffer, extra: Extra): Buffer | Promise<Buffer> {
  if (body.length === 0) throw new UnprocessableError('the body is empty')
  if (body.length > AT_ONCE) return inTurn(() => begin(new FormEncoder(), body), extra)
  begin(encoder, body)
  if (!encoder.read(AT_ONCE)) {
    const begun = encoder
    encoder = new FormEncoder()
    return inTurn(() => begun, extra)
  }
  encoder.set(extra)
  if (!encoder.hasDuplicates) return encoder.toForm()
  const slices = encoder.toFormWithoutDuplicates()
  for (;;) {
    const { done, value } = slices.next()
    if (done) return value
  }
}

function begin(idle: FormEncoder, body: Buffer): FormEncoder {
  if (!isUtf8(body)) {
    const hint = bodyHint(body)
    throw new UnprocessableError(`the body is not valid UTF-8${hint === undefined ? '' : `: ${hint}`}`)
  }
  idle.begin(body)
  return idle
}

async function inTurn(start: () => FormEncoder, extra: Extra): Promise<Buffer> {
  const form = others.then(() => inSlices(start(), extra))
  // Not the form itself, which would stay for as long as it is the last one.
  const done = (): void => {}
  others = form.then(done, done)
  return form
}

async function inSlices(begun: FormEncoder, extra: Extra): Promise<Buffer> {
  const slices = allSlices(begun, extra)
  for (;;) {
    const started = performance.now()
    while (performance.now() - started < SLICE) {
      const { done, value } = slices.next()
      if (done) return value
    }
    await new Promise(setImmediate)
  }
}

function* allSlices(begun: FormEncoder, extra: Extra): Generator<void, Buffer> {
  while (!begun.read(BETWEEN_LOOKS)) yield
  begun.set(extra)
  return begun.hasDuplicates ? yield* begun.toFormWithoutDuplicates() : begun.toForm()
}
