import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../../src/amqp/broker-error.ts'
import type { BrokerErrorCode } from '../../../src/amqp/broker-error-code.ts'
import { BrokerList } from '../../../src/amqp/broker-list.ts'
import { type BrokerUrl, parseBrokerUrl } from '../../../src/amqp/broker-url.ts'
import { recordingEvents } from '../../support/recording.ts'

/** Errors of `b` do not say whose they are. */
const reason = (name: string) => (name === 'b' ? 'it fails' : `amqp://alice@${name}:5672/ fails`)
const A = 'amqp://alice@a:5672/ fails'
const B = 'amqp://alice@b:5672/: it fails'
const NONE = `no broker of --url can be used: ${A}; ${B}`

async function refuse(): Promise<never> {
  throw new BrokerError('UNREACHABLE', 'it fails')
}

/** A list of brokers called `a`, `b` and so on, and who of them fails how at the moment. */
function listOf(names: string) {
  const told = recordingEvents()
  const list = new BrokerList(
    [...names].map((name) => parseBrokerUrl(`amqp://alice:hunter2@${name}`)),
    told.tell,
  )
  const failing = new Map<string, BrokerErrorCode>()
  const tried: string[] = []
  const open = async ({ hostname }: BrokerUrl): Promise<string> => {
    tried.push(hostname)
    const code = failing.get(hostname)
    if (code !== undefined) throw new BrokerError(code, reason(hostname))
    return `opened ${hostname}`
  }
  return {
    list,
    told,
    failing,
    /** One go through the list: what came of it, and who was tried. */
    async go(): Promise<[outcome: string, tried: string]> {
      tried.length = 0
      const outcome = await list.open(open).then(
        ([opened, { hostname }]) => `${opened} at ${hostname}`,
        ({ code, message, permanent }: BrokerError) => `${code}: ${message}${permanent ? ', for good' : ''}`,
      )
      return [outcome, tried.join('')]
    },
  }
}

describe('a failover list', () => {
  it('begins with the first, and goes on until one works', async () => {
    const { failing, go, told } = listOf('abc')
    failing.set('a', 'UNREACHABLE').set('b', 'LOGIN_REFUSED')
    expect(await go()).toEqual(['opened c at c', 'abc'])
    expect(told.all).toEqual([
      { kind: 'broker-passed-over', reason: A },
      { kind: 'broker-passed-over', reason: B },
    ])
  })

  it('begins with the one that worked last, and ends with the one before it', async () => {
    const { failing, go } = listOf('abc')
    failing.set('a', 'UNREACHABLE')
    expect(await go()).toEqual(['opened b at b', 'ab'])
    failing.clear()
    expect(await go()).toEqual(['opened b at b', 'b'])
    failing.set('b', 'UNREACHABLE').set('c', 'UNREACHABLE')
    expect(await go()).toEqual(['opened a at a', 'bca'])
  })

  it('tries each once when none works, and begins where it did', async () => {
    const { failing, go, told } = listOf('ab')
    failing.set('a', 'UNREACHABLE').set('b', 'UNREACHABLE')
    const none = `UNREACHABLE: ${NONE}`
    expect(await go()).toEqual([none, 'ab'])
    expect(await go()).toEqual([none, 'ab'])
    expect(told.all).toEqual([])
  })

  it.each<[BrokerErrorCode, BrokerErrorCode, string]>([
    ['LOGIN_REFUSED', 'TLS_REFUSED', `LOGIN_REFUSED: ${NONE}, for good`],
    ['LOGIN_REFUSED', 'UNREACHABLE', `UNREACHABLE: ${NONE}`],
    ['UNREACHABLE', 'QUEUE_MISSING', `UNREACHABLE: ${NONE}`],
    ['LOGIN_REFUSED', 'VHOST_REFUSED', `LOGIN_REFUSED: ${NONE}, for good`],
  ])('of %s and %s is %s', async (a, b, outcome) => {
    const { failing, go } = listOf('ab')
    failing.set('a', a).set('b', b)
    expect((await go())[0]).toBe(outcome)
  })

  it('of one has its own error', async () => {
    const { failing, go } = listOf('a')
    failing.set('a', 'LOGIN_REFUSED')
    expect(await go()).toEqual([`LOGIN_REFUSED: ${A}, for good`, 'a'])
  })

  it('tries each once also when another finds one that works meanwhile', async () => {
    const { list } = listOf('abc')
    const tried: string[] = []
    const failure = list.open(async ({ hostname }) => {
      tried.push(hostname)
      if (hostname === 'a') await list.open(async (broker) => broker.hostname === 'c' || (await refuse()))
      return refuse()
    })
    await expect(failure).rejects.toThrow()
    expect(tried).toEqual(['a', 'b', 'c'])
  })

  it('does not go on after an error of ours', async () => {
    const { list } = listOf('ab')
    const tried: string[] = []
    const fault = list.open(async ({ hostname }) => {
      tried.push(hostname)
      throw new TypeError('a fault')
    })
    await expect(fault).rejects.toThrow(TypeError)
    expect(tried).toEqual(['a'])
  })
})

describe('a warning', () => {
  it('names each broker that is not verified, without its password', () => {
    const told = recordingEvents()
    const insecure = { insecure: true }
    const urls = ['amqp://a', 'amqps://alice:hunter2@b', 'amqps://c']
    new BrokerList(
      urls.map((url) => parseBrokerUrl(url, insecure)),
      told.tell,
    ).warnOfInsecure()
    expect(told.all).toEqual([
      { kind: 'broker-unverified', broker: 'amqps://alice@b:5671/' },
      { kind: 'broker-unverified', broker: 'amqps://guest@c:5671/' },
    ])
  })

  it('is not given of brokers that are', () => {
    const told = recordingEvents()
    new BrokerList([parseBrokerUrl('amqps://a')], told.tell).warnOfInsecure()
    expect(told.all).toEqual([])
  })
})
