import { describe, expect, it } from 'vitest'
import { isBaggage, isTraceparent, isTracestate, traceIdIn, traceParams } from '../../../src/payload/trace.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`

describe('traceparent', () => {
  it.each([
    TRACEPARENT,
    `00-${TRACE}-${SPAN}-00`,
    `00-${TRACE}-${SPAN}-ff`,
    `00-${'0'.repeat(31)}1-${'0'.repeat(15)}1-00`,
    `01-${TRACE}-${SPAN}-01`,
    `fe-${TRACE}-${SPAN}-01-`,
    `cc-${TRACE}-${SPAN}-01-what.the-future holds`,
  ])('valid: %s', (value) => {
    expect(isTraceparent(value)).toBe(true)
  })

  it.each([
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    TRACEPARENT.toUpperCase(),
    `00-${TRACE}-${SPAN}-0A`,
    `0-${TRACE}-${SPAN}-01`,
    `.0-${TRACE}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}0-${SPAN}-01`,
    `00-${TRACE}-${SPAN.slice(1)}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-011`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-more`,
    `01-${TRACE}-${SPAN}-01more`,
    `01-${TRACE}-${SPAN}-01-\r\nX: y`,
    `01-${TRACE}-${SPAN}-01-\u00e9`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(512)}`,
    ` ${TRACEPARENT}`,
    `${TRACEPARENT} `,
    `${TRACEPARENT}\n`,
    `00_${TRACE}_${SPAN}_01`,
  ])('not valid: %j', (value) => {
    expect(isTraceparent(value)).toBe(false)
  })
})

it.each<[string, Readonly<Record<string, unknown>>, string | undefined]>([
  ['of its traceparent', { traceparent: TRACEPARENT }, TRACE],
  ['none where that is not valid', { traceparent: `${TRACEPARENT} ` }, undefined],
  ['none where that is no text', { traceparent: 7 }, undefined],
  ['none without one', {}, undefined],
])('the trace of a message: %s', (_, headers, traceId) => {
  expect(traceIdIn(headers)).toBe(traceId)
})

const stateMembers = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=1`).join()

describe('tracestate', () => {
  it.each([
    'a=1',
    'vendor_name-1*/=opaque value!"',
    'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    'a=1 ,\tb=2\t,  c=3',
    'a=1,,b=2,',
    ' a=1 ',
    'fw529a3039@dt=FfAxHCM0MQ',
    '0tenant@system=1',
    `${'a'.repeat(241)}@${'b'.repeat(14)}=1`,
    `${'a'.repeat(256)}=1`,
    `a=${'x'.repeat(256)}`,
    `a=   1`,
    stateMembers(32),
    `a=${'x'.repeat(253)},b=${'x'.repeat(254)}`,
  ])('valid: %s', (value) => {
    expect(isTracestate(value)).toBe(true)
  })

  it.each([
    '',
    ' ',
    ',',
    'a',
    'a=',
    '=1',
    'a =1',
    'A=1',
    '1a=1',
    'a=b=c',
    'a=1;b=2,a=3',
    'a=1,a=2',
    '@system=1',
    'tenant@=1',
    'tenant@1system=1',
    'a@b@c=1',
    `${'a'.repeat(242)}@b=1`,
    `a@${'b'.repeat(15)}=1`,
    `${'a'.repeat(257)}=1`,
    `a=${'x'.repeat(257)}`,
    'a=\u00e9',
    'a=1\u00a0',
    'a=1\n',
    'a=\0',
    'a=x\ty',
    stateMembers(33),
    `${stateMembers(32)},`,
    `a=${'x'.repeat(253)},b=${'x'.repeat(255)}`,
  ])('not valid: %j', (value) => {
    expect(isTracestate(value)).toBe(false)
  })
})

const baggageMembers = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=1`).join()

describe('baggage', () => {
  it.each([
    'userId=alice',
    'a=',
    'a=1,b=2',
    'a = 1 , b=2\t;p = 3 ; q',
    'a=1;p;q=2',
    'a=b=c',
    'key=%20%C3%A4',
    "!#$%&'*+-.^_`|~=1",
    'a=1,a=2',
    baggageMembers(180),
    `a=${'x'.repeat(8_190)}`,
  ])('valid: %s', (value) => {
    expect(isBaggage(value)).toBe(true)
  })

  it.each([
    '',
    ' ',
    'a',
    '=1',
    'a=1,',
    ',a=1',
    'a=1,,b=2',
    'a b=1',
    'a=1 2',
    'a="1"',
    'a=\\',
    'a=1;',
    'a=1;=2',
    'a=1;p q',
    'ä=1',
    'a=ä',
    'a=1\r\nX: y',
    'a=\0',
    'a=\x7f',
    '(a)=1',
    baggageMembers(181),
    `a=${'x'.repeat(8_191)}`,
  ])('not valid: %j', (value) => {
    expect(isBaggage(value)).toBe(false)
  })

  it('of 8 KiB of white space takes no time', () => {
    expect(isBaggage(`a=${' '.repeat(8_000)}x${' '.repeat(100)}y`)).toBe(false)
  })
})

describe('params', () => {
  it('are those of the valid headers', () => {
    const headers = { traceparent: TRACEPARENT, tracestate: 'a=1', baggage: 'b=2', other: 'x' }
    expect(traceParams(headers)).toEqual({
      params: { HTTP_TRACEPARENT: TRACEPARENT, HTTP_TRACESTATE: 'a=1', HTTP_BAGGAGE: 'b=2' },
      invalid: [],
    })
  })

  it('are none without such headers, or with others of nearly the same name', () => {
    const headers = { Traceparent: TRACEPARENT, 'trace-parent': TRACEPARENT, proxy: 'x' }
    expect(traceParams(headers)).toEqual({ params: {}, invalid: [] })
  })

  it.each([{ traceparent: 'x' }, {}])('leave a tracestate out whose traceparent is %j', (parent) => {
    const { params, invalid } = traceParams({ ...parent, tracestate: 'a=1' })
    expect(params).toEqual({})
    expect(invalid).toContain('HTTP_TRACESTATE')
  })

  it('leave baggage in where there is no trace', () => {
    expect(traceParams({ baggage: 'a=1' }).params).toEqual({ HTTP_BAGGAGE: 'a=1' })
  })

  it.each([null, 1, true, ['a'], Buffer.from(TRACEPARENT), { '!': 'x' }])('are no %j', (traceparent) => {
    expect(traceParams({ traceparent })).toEqual({ params: {}, invalid: ['HTTP_TRACEPARENT'] })
  })

  it('are not inherited', () => {
    // A table in a field called __proto__, as amqplib decodes it.
    expect(traceParams(Object.create({ traceparent: TRACEPARENT }))).toEqual({ params: {}, invalid: [] })
  })
})
