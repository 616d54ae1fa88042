import { afterAll, beforeAll, expect, test } from 'vitest'
import { runBridge } from '../support/bridge-process.ts'
import { type OwnBroker, startBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { publishAll } from '../support/messages.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { startScriptedFleet } from '../support/scripted-fleet.ts'

/* What operators type, where the broker is in the way. */

let broker: OwnBroker
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker.close())

const tell = (command: string, ...args: string[]) => runBridge([command, '--url', broker.url, ...args])
const said = ({ log }: { readonly log: readonly { readonly message: string }[] }) =>
  log.map(({ message }) => message).join('\n')

test('without an exchange nobody listens; a queue can be paused all the same', async () => {
  for (const command of ['ps', 'drain', 'reload', 'resume']) {
    const told = await tell(command)
    expect([told.code, said(told)], command).toEqual([69, expect.stringContaining('no daemon answer')])
  }
  await publishAll(broker, 'commands', [])
  expect(await tell('pause', '-q', 'commands')).toMatchObject({
    code: 0,
    stdout: [
      '"commands" is paused until somebody resumes it; no daemon answered: those that start will find it paused',
    ],
  })
  await expectCounts(broker, 'commands.paused', { ready: 1, unacked: 0 })
  expect(await tell('resume', '-q', 'commands')).toMatchObject({ code: 0 })
  expect(await countsOf(broker, 'commands.paused')).toBeUndefined()
})

test('a broker in alarm is why nobody answers', async () => {
  const fleet = await startScriptedFleet(broker, 'commands', () => [])
  try {
    await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.0001).')
    const told = await eventually('the alarm is on', async () => {
      const ps = await tell('ps')
      return said(ps).includes('takes no messages') && ps
    })
    expect(told.code).toBe(69)
    const paused = await tell('pause', '-q', 'commands')
    expect([paused.code, said(paused)]).toEqual([
      69,
      expect.stringMatching(/takes no messages at the moment.*the marker is there now, without a note/s),
    ])
    await expectCounts(broker, 'commands.paused', { ready: 0, unacked: 0 })
  } finally {
    await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.9).')
    await fleet.close()
  }
  await eventually('it takes messages again', async () => (await tell('resume', '-q', 'commands')).code === 0)
})

test('a user who may not pause is told which permission is missing, and no password is shown', async () => {
  await broker.api('PUT', '/users/ops', { password: 'p4ssw0rd', tags: '' })
  const url = broker.url.replace('guest:guest', 'ops:p4ssw0rd')
  const pause = async (configure: string, write: string) => {
    await broker.api('PUT', '/permissions/%2F/ops', { configure, write, read: '.*' })
    // The broker goes by what it has read a moment ago.
    await new Promise((resolve) => setTimeout(resolve, 500))
    const told = await runBridge(['pause', '--url', url, '-q', 'commands'])
    expect(`${said(told)}${told.stdout.join('')}`).not.toContain('p4ssw0rd')
    return [told.code, said(told)]
  }
  expect(await pause('^$', '.*')).toEqual([
    78,
    expect.stringContaining('permission to configure "commands.paused"'),
  ])
  expect(await pause('.*', '^fpm-bridge$')).toEqual([
    78,
    expect.stringMatching(/permission to write "amq\\.default".*the marker is there now, without a note/),
  ])
  const [code, text] = await pause('.*', '^amq\\.default$')
  expect([code, text]).toEqual([78, expect.stringContaining('permission to write "fpm-bridge"')])
  await tell('resume', '-q', 'commands')
})

test('an exchange of another kind will do, and a broker that is away is said to be', async () => {
  await broker.api('DELETE', '/exchanges/%2F/fpm-bridge')
  await broker.api('PUT', '/exchanges/%2F/fpm-bridge', { type: 'fanout', durable: true })
  expect((await tell('ps')).code).toBe(69)
  await broker.kill()
  const told = await tell('ps')
  expect([told.code, said(told)]).toEqual([
    69,
    expect.stringMatching(/cannot connect to amqp:\/\/.*ECONNREFUSED/),
  ])
})
