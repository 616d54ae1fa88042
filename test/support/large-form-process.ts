import { readFileSync } from 'node:fs'
import { encodeForm } from '../../src/payload/form.ts'
import { UnprocessableError } from '../../src/payload/unprocessable.ts'
import { largeBody, SHAPES } from './large-bodies.ts'
import type { LargeForm } from './large-forms.ts'

/*
 * Makes a form of one large body, and prints what that took. Of its own process, so that its heap can be small.
 *
 *   node --max-old-space-size=256 --import tsx test/support/large-form-process.ts SHAPE BYTES
 */
const [, , name = '', bytes] = process.argv
const shape = SHAPES[name]
if (shape === undefined) throw new Error(`There is no shape ${name}`)
const body = largeBody(shape, Number(bytes))

let over = false
let last = cpu()
let longest = 0
let turns = 0
let rss = 0
const before = process.memoryUsage.rss()
function look(): void {
  longest = Math.max(longest, cpu() - last)
  rss = Math.max(rss, process.memoryUsage.rss())
  last = cpu()
  turns += 1
  if (!over) setImmediate(look)
}

const started = performance.now()
setImmediate(look)
const made = await make()
const milliseconds = performance.now() - started
look()
over = true
const took: LargeForm = { body: body.length, made, milliseconds, longest, turns, held: rss - before }
console.log(JSON.stringify(took))

/** Milliseconds for which this thread has had a processor (proc(5), schedstat): the machine is seldom quiet. */
function cpu(): number {
  return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[0]) / 1e6
}

async function make(): Promise<number | string> {
  try {
    return (await encodeForm(body, ['daemonId', 'D-1'])).length
  } catch (error) {
    if (error instanceof UnprocessableError) return error.message
    throw error
  }
}
