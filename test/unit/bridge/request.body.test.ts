import { describe, expect, it } from 'vitest'
import type { MessageProperties, Payload } from '../../../src/bridge/ports.ts'
import { UnprocessableError } from '../../../src/payload/unprocessable.ts'
import { config, RecordingDelivery } from '../../support/recording.ts'
import { prepareAtOnce, prepare as prepareRequest } from './prepare-at-once.ts'

const EXECUTION_ID = '6f1c2a9e-0000-4000-8000-000000000001'

const prepare = (delivery: RecordingDelivery, payload: Payload = 'form') =>
  prepareAtOnce(delivery, { executionId: EXECUTION_ID, attempt: 3 }, { ...config, payload })

describe('the body', () => {
  it('as a form carries the form content type, whatever the message says', () => {
    const properties = { contentType: 'application/json' }
    const { request } = prepare(new RecordingDelivery({ body: '{"number":7}', properties }))
    expect(request.params['CONTENT_TYPE']).toBe('application/x-www-form-urlencoded')
    expect(request.body).toEqual(Buffer.from('number=7&daemonId=D-1'))
  })

  it('that is no JSON array cannot be a form', () => {
    expect(() => prepare(new RecordingDelivery({ body: 'number=7' }))).toThrow(UnprocessableError)
  })

  it.each<[string, MessageProperties, string]>([
    ['its own', { contentType: 'image/png' }, 'image/png'],
    ['octet-stream when it has none', {}, 'application/octet-stream'],
    ['octet-stream when it has a line break', { contentType: 'a/b\r\nX: y' }, 'application/octet-stream'],
  ])('raw is passed byte for byte, with a content type: %s', (_, properties, contentType) => {
    const body = Buffer.from([0x00, 0xff, 0x0a, 0x7b])
    const { request } = prepare(new RecordingDelivery({ body, properties }), 'raw')
    expect(request.body).toEqual(body)
    expect(request.params['CONTENT_TYPE']).toBe(contentType)
  })

  it('of --max-body is passed, a byte more is unprocessable and never looked into', () => {
    const prepareAtMost = (maxBody: number) =>
      prepareAtOnce(
        new RecordingDelivery({ body: '[7]' }),
        { executionId: EXECUTION_ID, attempt: 1 },
        { ...config, maxBody },
      )
    expect(prepareAtMost(3).request.body).toEqual(Buffer.from('0=7&daemonId=D-1'))
    expect(() => prepareAtMost(2)).toThrow(
      new UnprocessableError('the body has 3 bytes; --max-body allows 2'),
    )
  })

  it('that becomes a large form is waited for, and refused as a small one is', async () => {
    const prepare = (body: string) =>
      prepareRequest(new RecordingDelivery({ body }), { executionId: EXECUTION_ID, attempt: 1 }, config)
    const text = 'x'.repeat(1_000_000)
    const preparing = prepare(`{"text":"${text}"}`)
    expect(preparing).toBeInstanceOf(Promise)
    const { request } = await preparing
    expect(request.params['AMQP_EXECUTION_ID']).toBe(EXECUTION_ID)
    expect((request.body as Buffer).equals(Buffer.from(`text=${text}&daemonId=D-1`))).toBe(true)
    const members = Array.from({ length: 2 ** 20 }, (_, index) => `"${index.toString(36)}":0`).join()
    await expect(prepare(`{${members}}`)).rejects.toThrow(
      new UnprocessableError('the JSON body has more than 1048576 members at once'),
    )
  })

  it('raw may be empty', () => {
    expect(prepare(new RecordingDelivery({ body: '' }), 'raw').request.body).toHaveLength(0)
  })
})
