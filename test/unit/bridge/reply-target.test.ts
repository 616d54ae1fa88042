import { describe, expect, it } from 'vitest'
import { commandRefusal, ReplyTargets } from '../../../src/bridge/reply-target.ts'

const POLICY = { queue: 'commands', deadLetterQueue: 'commands.dead' }
const DIRECT = 'amq.rabbitmq.reply-to.g1h2AA=='

const allows = (replyTo: string, allowed: readonly string[]) =>
  new ReplyTargets(allowed, POLICY).refusal(replyTo) === undefined

describe('where answers may go', () => {
  it.each([
    [DIRECT, ['amq.rabbitmq.reply-to.*']],
    ['answers', ['answers']],
    ['answers.7', ['amq.rabbitmq.reply-to.*', 'answers.*']],
    ['a.b.c', ['a*c']],
    ['with (a+b)', ['with (a+b)']],
    ['amq.gen-abc', ['amq.gen-*']],
    ['x'.repeat(255), ['*']],
  ])('allows %s with %j', (replyTo, allowed) => {
    expect(allows(replyTo, allowed)).toBe(true)
  })

  it.each([
    ['answers', ['amq.rabbitmq.reply-to.*'], /--reply-allow does not allow/],
    ['answers.7', ['answers'], /--reply-allow/],
    ['with aab', ['with (a+b)'], /--reply-allow/],
    [DIRECT, ['answers'], /--reply-allow/],
    // Whatever is allowed.
    ['commands', ['*'], /queue of this bridge/],
    ['commands.dead', ['*', 'commands.dead'], /queue of this bridge/],
    ['commands.retry.1000', ['*'], /queue of this bridge/],
    ['commands.paused', ['*'], /ends with \.paused/],
    ['others.paused', ['others.paused'], /ends with \.paused/],
    ['amq.rabbitmq.reply-to', ['*'], /begins with amq\./],
    ['amq.rabbitmq.trace', ['amq.gen-*', 'amq.*'], /begins with amq\./],
    // Somebody's own queue, if not by that name.
    ['amq.gen-abc', ['*'], /begins with amq\./],
    ['x'.repeat(256), ['*'], /255 bytes/],
    ['ü'.repeat(128), ['*'], /255 bytes/],
    ['not UTF-8: \ufffd', ['*'], /UTF-8/],
    ['two\nlines', ['*'], /control characters/],
  ])('refuses %j with %j', (replyTo, allowed, why) => {
    expect(new ReplyTargets(allowed, POLICY).refusal(replyTo)).toMatch(why)
  })
})

describe('where answers to commands may go', () => {
  const silent = { ...POLICY, replyAllow: undefined }
  const other = { queue: 'others', deadLetterQueue: 'others.dead', replyAllow: ['*'] }

  it.each([
    [DIRECT, [silent], true],
    [DIRECT, [{ ...POLICY, replyAllow: ['answers'] }], true],
    ['answers', [silent], false],
    ['answers', [silent, other], true],
    // Of whichever bridge.
    ['commands', [silent, other], false],
    ['others.dead', [other, silent], false],
    ['others.retry.1000', [silent, other], false],
    ['any.paused', [other], false],
    [DIRECT, [], false],
  ])('%s, with bridges %j: %s', (replyTo, bridges, expected) => {
    expect(commandRefusal(replyTo, bridges) === undefined).toBe(expected)
  })
})
