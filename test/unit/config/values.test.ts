import { describe, expect, it } from 'vitest'
import {
  absolutePath,
  daemonId,
  duration,
  flag,
  integer,
  messageProperty,
  oneOf,
  pair,
  queueName,
  shortString,
} from '../../../src/config/values.ts'

/** What a parser says of a value it cannot take. */
function complaint(parse: (text: string) => unknown, text: string): string {
  try {
    return `accepted: ${JSON.stringify(parse(text))}`
  } catch (error) {
    return (error as Error).message
  }
}

describe('an integer', () => {
  const prefetch = integer(1, 65_535)

  it.each([
    ['1', 1],
    ['65535', 65_535],
    ['007', 7],
  ])('%s', (text, value) => {
    expect(prefetch(text)).toBe(value)
  })

  it.each([
    '',
    '0',
    '-1',
    '70000',
    'NaN',
    'Infinity',
    '1e3',
    '1.0',
    '0x10',
    ' 1',
    '1 ',
    '1\n',
    '١',
    '1_000',
    '99999999999999999999',
  ])('refuses %j', (text) => {
    expect(complaint(prefetch, text)).toBe('must be an integer from 1 to 65535')
  })

  it('is exact, or refused', () => {
    const count = integer(1, Number.MAX_SAFE_INTEGER)
    expect(count('9007199254740991')).toBe(9_007_199_254_740_991)
    expect(complaint(count, '9007199254740993')).toContain('must be an integer')
  })
})

describe('a duration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['1s', 1_000],
    ['25m', 1_500_000],
    ['2h', 7_200_000],
    ['2147483647ms', 2_147_483_647],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(duration(text)).toBe(milliseconds)
  })

  it.each([
    '',
    '1',
    '30',
    '1e9',
    '1e9s',
    'Infinity',
    'Infinitys',
    '-1s',
    '1.5s',
    '1 s',
    '1S',
    '1sec',
    '1d',
    's',
    '1s1ms',
    '1s\n',
    '99999999999ms',
  ])('refuses %j', (text) => {
    expect(complaint(duration, text)).toBe('must be a duration such as 500ms, 30s, 25m or 2h')
  })

  it.each(['2147483648ms', '597h', '9999999999h'])('refuses %s: such a timer would fire at once', (text) => {
    expect(complaint(duration, text)).toBe('must be shorter than 24 days')
  })
})

describe('a name', () => {
  it.each([
    [queueName, '', 'must not be empty'],
    [queueName, 'amq.gen', 'must not begin with amq., which the broker keeps for itself'],
    [queueName, 'x'.repeat(256), 'must be at most 255 bytes long'],
    [queueName, 'é'.repeat(128), 'must be at most 255 bytes long'],
    [queueName, 'a\nb', 'must not have control characters'],
    [queueName, 'a\0', 'must not have control characters'],
    [queueName, 'a\x7f', 'must not have control characters'],
    [queueName, 'a\u0085', 'must not have control characters'],
    [daemonId, '', 'must not be empty'],
    [daemonId, 'a\nb', 'must not have control characters'],
    [daemonId, 'x'.repeat(241), 'must be at most 240 bytes long'],
    [daemonId, 'ü'.repeat(121), 'must be at most 240 bytes long'],
    [absolutePath, '', 'must be an absolute path, as php-fpm sees it'],
    [absolutePath, 'worker.php', 'must be an absolute path, as php-fpm sees it'],
    [absolutePath, './worker.php', 'must be an absolute path, as php-fpm sees it'],
    [absolutePath, '/', 'must name a file'],
    [absolutePath, '/srv/', 'must name a file'],
    [absolutePath, '/a\0b', 'must not have control characters'],
    [absolutePath, '/a\nb', 'must not have control characters'],
  ])('%o refuses %j', (parse, text, expected) => {
    expect(complaint(parse, text)).toBe(expected)
  })

  it.each([
    [queueName, 'commands'],
    [queueName, 'amq'],
    [queueName, 'a b/ü'],
    [queueName, 'x'.repeat(255)],
    [daemonId, 'D-1'],
    [daemonId, 'x'.repeat(240)],
    [shortString, ''],
    [absolutePath, '/w'],
    [absolutePath, '/srv/my app/wörker.php'],
  ])('%o takes %j as it is', (parse, text) => {
    expect(parse(text)).toBe(text)
  })
})

describe('a choice', () => {
  it('is one of those offered, spelled exactly so', () => {
    const parse = oneOf('classic', 'quorum')
    expect(parse('quorum')).toBe('quorum')
    for (const text of ['', 'Quorum', 'quorum ', 'stream', 'toString']) {
      expect(complaint(parse, text)).toBe('must be classic or quorum')
    }
  })

  it('of on and off is true or false', () => {
    expect([flag('true'), flag('false')]).toEqual([true, false])
    for (const text of ['', 'TRUE', 'yes', 'on', '1', '0'])
      expect(complaint(flag, text)).toBe('must be true or false')
  })
})

describe('name=value', () => {
  it('is split at the first equals sign', () => {
    expect([pair('a=b=c'), pair('a='), pair('a = b')]).toEqual([
      ['a', 'b=c'],
      ['a', ''],
      ['a ', ' b'],
    ])
  })

  it.each(['', 'a', '=b', '='])('refuses %j', (text) => {
    expect(complaint(pair, text)).toBe('must be name=value')
  })

  it('has a name that AMQP can carry', () => {
    expect(complaint(pair, `${'x'.repeat(256)}=1`)).toBe('must be at most 255 bytes long')
  })
})

describe('a message property', () => {
  it.each([
    ['message_id=42', ['messageId', '42']],
    ['priority=255', ['priority', 255]],
    ['expiration=060000', ['expiration', '60000']],
    ['timestamp=1700000000', ['timestamp', 1_700_000_000]],
    ['type=', ['type', '']],
  ])('%s', (text, expected) => {
    expect(messageProperty(text)).toEqual(expected)
  })

  const KNOWN =
    'message_id, correlation_id, reply_to, type, app_id, user_id, content_encoding, expiration, priority, timestamp'

  it.each([
    ['messageId=1', `must set one of ${KNOWN}`],
    ['delivery_mode=1', `must set one of ${KNOWN}`],
    ['constructor=1', `must set one of ${KNOWN}`],
    ['__proto__=1', `must set one of ${KNOWN}`],
    ['priority=256', 'sets priority, which must be an integer from 0 to 255'],
    ['expiration=1s', 'sets expiration, which must be an integer from 0 to 4294967295'],
    ['type=a\nb', 'sets type, which must not have control characters'],
  ])('refuses %s', (text, expected) => {
    expect(complaint(messageProperty, text)).toBe(expected)
  })
})
