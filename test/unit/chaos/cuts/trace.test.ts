import { describe, expect, it } from 'vitest'
import { Trace } from '../../../chaos/cuts/trace.ts'
import { contentHeader, frame, longlong, method, short, shortString } from '../../../support/amqp-frames.ts'
import { type Unit, UnitReader } from '../../../support/amqp-units.ts'

const bit = (value: number) => Buffer.from([value])

const publish = (id: string) => [
  method(1, [60, 40], short(0), shortString(''), shortString('q.retry.1000'), bit(1)),
  ...content(id),
]
const deliver = (tag: number, id: string) => [
  method(1, [60, 60], shortString('D-1'), longlong(tag), bit(0), shortString(''), shortString('q')),
  ...content(id),
]
const ack = (tag: number, multiple = false) => [method(1, [60, 80], longlong(tag), bit(multiple ? 1 : 0))]

/** Its body in two frames. */
const content = (id: string) => [
  contentHeader(1, id.length + 4, 0),
  frame(3, 1, Buffer.from(id)),
  frame(3, 1, Buffer.from('body')),
]

function unitsOf(...frames: readonly (readonly Buffer[])[]): Unit[] {
  return new UnitReader().take(Buffer.concat(frames.flat()))
}

describe('units', () => {
  const bytes = Buffer.concat([
    Buffer.from('AMQP\0\0\x09\x01'),
    ...publish('M-1'),
    frame(8, 0, Buffer.alloc(0)), // a heartbeat
    ...publish('M-2'),
    ...ack(7, true),
  ])

  it('are the same however the bytes come', () => {
    const whole = new UnitReader().take(bytes)
    expect(whole.map(({ name, deliveryTag, multiple }) => [name, deliveryTag, multiple])).toEqual([
      ['other', 0, false],
      ['publish', 1, false],
      ['other', 0, false],
      ['publish', 2, false],
      ['ack', 7, true],
    ])
    expect(Buffer.concat(whole.map((unit) => unit.bytes))).toEqual(bytes)
    const reader = new UnitReader()
    expect([...bytes].flatMap((byte) => reader.take(Buffer.from([byte])))).toEqual(whole)
  })

  it('of an empty body end with its content header', () => {
    const empty = [method(1, [60, 60], shortString(''), longlong(3), bit(0)), contentHeader(1, 0, 0)]
    expect(unitsOf(empty)).toMatchObject([{ name: 'deliver', deliveryTag: 3 }])
  })
})

describe('a trace', () => {
  const steps = (trace: Trace, from: 'client' | 'broker', connection: number, units: readonly Unit[]) =>
    units.map((unit) => trace.see({ unit, from, connection }))

  it('knows the delivery, and the ack that covers it', () => {
    const trace = new Trace('M-2;')
    const delivered = unitsOf(deliver(4, 'M-1;'), deliver(5, 'M-2;'))
    expect(steps(trace, 'broker', 1, delivered)).toEqual([undefined, 'delivered'])
    const acks = unitsOf(ack(4), ack(4, true), ack(6), ack(6, true), ack(5))
    expect(steps(trace, 'client', 1, acks)).toEqual([undefined, undefined, undefined, 'acked', 'acked'])
    // On another connection the same tag is another message's.
    expect(steps(trace, 'client', 2, unitsOf(ack(5)))).toEqual([undefined])
  })

  it('knows the copy, and its confirm by the number of the publish', () => {
    const trace = new Trace('M-2;')
    const published = unitsOf(publish('M-1;'), publish('M-2;'))
    expect(steps(trace, 'client', 3, published)).toEqual([undefined, 'copy published'])
    expect(steps(trace, 'broker', 3, unitsOf(ack(1), ack(2)))).toEqual([undefined, 'confirmed'])
  })
})
