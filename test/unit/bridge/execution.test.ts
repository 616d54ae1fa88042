import { describe, expect, it } from 'vitest'
import { notRead } from '../../support/answers.ts'
import { config, executionOf, RecordingDelivery } from '../../support/recording.ts'

const COMPLETED = { ...config, ack: 'completed' } as const

describe('the ack of an execution', () => {
  it('is one, however often it is asked for', () => {
    const delivery = new RecordingDelivery()
    const execution = executionOf(delivery)
    expect([execution.acked, execution.ack(), execution.ack(), execution.acked]).toEqual([
      false,
      true,
      true,
      true,
    ])
    expect(delivery.settled).toEqual(['ack'])
  })

  it('stays when its session ends later', () => {
    const delivery = new RecordingDelivery()
    const execution = executionOf(delivery)
    execution.ack()
    delivery.live = false
    expect([execution.settleable, execution.ack()]).toEqual([true, true])
  })

  it('comes too late when its session has ended before', () => {
    const delivery = new RecordingDelivery({ live: false })
    const execution = executionOf(delivery)
    expect([execution.settleable, execution.ack(), execution.acked]).toEqual([false, false, false])
    expect(delivery.settled).toEqual([])
  })

  it('is that of the delivery that came later, where it was adopted', () => {
    const [first, second] = [new RecordingDelivery(), new RecordingDelivery({ deliveryTag: 2 })]
    const execution = executionOf(first)
    first.live = false
    execution.adopt(second)
    expect([execution.settleable, execution.deliveryTag, execution.ack()]).toEqual([true, 2, true])
    expect([first.settled, second.settled]).toEqual([[], ['ack']])
  })
})

describe('an execution that begins in the place of another', () => {
  it('has an id and a number of its own, and knows how often the message was left unread', () => {
    const headers = { 'x-fpm-bridge-attempt': 2, 'x-fpm-bridge-unread': 1 }
    const first = executionOf(new RecordingDelivery({ properties: { messageId: 'm-1', headers } }), COMPLETED)
    first.start()
    first.finish({ kind: 'failed', error: notRead(), unread: first.leftUnread() })
    expect([first.attempt, first.unread, first.over]).toEqual([3, 2, true])
    const again = first.again()
    again.start()
    expect(again).toMatchObject({ messageId: 'm-1', attempt: 3, unread: 2, over: false, acked: false })
    expect(again.executionId).not.toBe(first.executionId)
    expect(again.executionId).not.toBe('')
  })
})
