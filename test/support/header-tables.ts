import fc from 'fast-check'
import { byte, long } from './amqp-frames.ts'

/*
 * Header tables in bytes, of every type that RabbitMQ takes from a publisher, for properties and for `npm run fuzz:headers`.
 */

const sized = (type: string, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(type, 'latin1'), long(bytes.length), bytes])

const fixed = (type: string, size: number): fc.Arbitrary<Buffer> =>
  fc
    .uint8Array({ minLength: size, maxLength: size })
    .map((bytes) => Buffer.concat([Buffer.from(type, 'latin1'), bytes]))

/** RabbitMQ ends the connection over a float that is no number. */
const float = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => {
  const bytes = Buffer.from('f\0\0\0\0', 'latin1')
  bytes.writeFloatBE(value, 1)
  return bytes
})
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
  const bytes = Buffer.from('d\0\0\0\0\0\0\0\0', 'latin1')
  bytes.writeDoubleBE(value, 1)
  return bytes
})

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => Buffer.from(value)),
  fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value)),
  fc
    .constantFrom('double', 'float', 'int8', 'timestamp', 'bogus', 'value')
    .map((value) => Buffer.from(value)),
)

/** Names that somebody gives a meaning to, and others; they may come twice. */
const name = fc.oneof(
  fc
    .constantFrom(
      '!',
      'value',
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'x-match',
      'cc',
      'type',
      '1',
      '',
    )
    .map((value) => Buffer.from(value)),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => Buffer.from(value)),
  fc.uint8Array({ maxLength: 30 }).map((value) => Buffer.from(value)),
)
// By CC and BCC RabbitMQ sends a message to more queues, or refuses it.
const harmless = name.filter((bytes) => !/^B?CC$/.test(bytes.toString('latin1')))

const { table } = fc.letrec<{ table: Buffer; value: Buffer }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(Buffer.from('V')),
    fc.constantFrom(Buffer.from('t\0'), Buffer.from('t\x01')),
    fixed('b', 1),
    fixed('B', 1),
    fixed('s', 2),
    fixed('u', 2),
    fixed('I', 4),
    fixed('i', 4),
    fixed('l', 8),
    fixed('L', 8),
    fixed('T', 8),
    fixed('D', 5),
    float,
    double,
    text.map((bytes) => sized('S', bytes)),
    text.map((bytes) => sized('x', bytes)),
    tie('table').map((bytes) => sized('F', bytes)),
    fc.array(tie('value'), { maxLength: 4 }).map((values) => sized('A', Buffer.concat(values))),
  ),
  table: fc
    .array(
      fc
        .tuple(harmless, tie('value'))
        .map(([bytes, value]) => Buffer.concat([byte(bytes.length), bytes, value])),
      { maxLength: 6 },
    )
    .map((fields) => Buffer.concat(fields)),
}))

/** Without its length. */
export const headerTables: fc.Arbitrary<Buffer> = table
