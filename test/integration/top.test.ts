import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { parsePoolAddress } from '../../src/fastcgi/address.ts'
import { AdminSource } from '../../src/operate/fleet-view/admin-source.ts'
import { ControlSource } from '../../src/operate/fleet-view/control-source.ts'
import { type FleetSource, FleetUnseen } from '../../src/operate/fleet-view/source.ts'
import { runBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { workerThat } from '../support/worker-script.ts'

const entryPoint = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const worker = workerThat(`if ($_POST['fail'] ?? false) http_response_code(404);`)

function sourceAt(url: string, queue: string): FleetSource {
  const source = new ControlSource(new BrokerList([parseBrokerUrl(url)], () => {}), 'test', queue)
  onTestFinished(() => source.close())
  return source
}

/** What it does to a terminal, and undoes. */
const [ENTER, LEAVE] = ['\u001b[?1049h', '\u001b[?25h\u001b[?1049l']

const AGO = { timestamp: Math.floor(Date.now() / 1_000) - 1_000 }

test('sees the fleet of a queue by way of the broker, pauses and resumes it', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const args = ['--ack', 'completed', '--control', '--daemon-id', `${queue}-1`]
  const daemon = await startDaemon({ script: worker.path, args })
  await publishAll(broker, queue, [{}, {}, { fail: true }], { messageId: 'M', ...AGO })
  await daemon.waitForLine('Dead-lettered.')
  await daemon.waitForLine('Listening for commands.')
  const source = sourceAt(broker.url, queue)

  const look = await eventually('there is all that can be seen', async () => {
    const seen = await source.look()
    const [report] = seen.daemons
    return report?.pools?.length === 1 && report.bridges[0]?.messages['executed'] === 2 && seen
  })
  expect(look.daemons).toMatchObject([
    {
      daemon_id: `${queue}-1`,
      pools: [{ children: 8, busy: expect.any(Number) }],
      failures: [
        { queue, outcome: 'dead-letter', reason: 'the worker answered with status 404', message_id: 'M' },
      ],
      bridges: [
        { queue, state: 'running', messages: { executed: 2, 'dead-letter': 1 }, execution_ms: { count: 3 } },
      ],
    },
  ])
  expect(look.daemons[0]?.bridges[0]?.age_s).toBeGreaterThan(999)
  expect(look.queues.get(queue)).toEqual({ messages: 0, consumers: 1 })

  expect(await source.act?.('pause', queue)).toBe(`${queue} is paused: 1 daemon took notice`)
  await publishAll(broker, queue, [{}])
  const paused = await eventually('the queue is counted', async () => {
    const seen = await source.look()
    return seen.queues.get(queue)?.messages === 1 && seen
  })
  expect(paused.daemons[0]?.bridges[0]).toMatchObject({
    state: 'paused',
    pause: { reason: 'fpm-bridge top' },
  })
  expect(await source.act?.('resume', queue)).toBe(`${queue} is resumed: 1 daemon took notice`)
  expect(await source.act?.('resume', queue)).toContain('was not paused')
  expect(await source.act?.('pause', `${queue}-none`)).toBe(`there is no queue ${queue}-none`)

  await source.close()
  expect((await source.look()).daemons).toHaveLength(1)
})

test('sees one process by its --admin', async ({ broker, queue, startDaemon }) => {
  const admin = join(temporaryFolder('admin'), 'admin.sock')
  const args = ['--ack', 'completed', '--daemon-id', 'D-admin', '--admin', admin]
  const daemon = await startDaemon({ script: worker.path, args })
  await publishAll(broker, queue, [{}, { fail: true }])
  await daemon.waitForLine('Dead-lettered.')
  const source = new AdminSource(parsePoolAddress(admin), undefined)
  expect(source).not.toHaveProperty('act')
  const [report] = (await source.look()).daemons
  expect(report).toMatchObject({
    daemon_id: 'D-admin',
    pid: daemon.pid,
    pools: [{ children: 8, busy: expect.any(Number), listen_queue: expect.any(Number) }],
    failures: [{ queue, outcome: 'dead-letter' }],
    bridges: [{ queue, state: 'running', execution_ms: { count: expect.any(Number) } }],
  })
  await daemon.kill()
  await expect(source.look()).rejects.toThrow(FleetUnseen)
})

test('says why there is nothing to be seen', async ({ broker }) => {
  const nobody = sourceAt('amqp://guest:guest@127.0.0.1:1', 'q')
  await expect(nobody.look()).rejects.toMatchObject({ name: 'FleetUnseen', permanent: false })
  const stranger = sourceAt(broker.url.replace('guest:guest', 'nobody:wrong'), 'q')
  await expect(stranger.look()).rejects.toMatchObject({ name: 'FleetUnseen', permanent: true })
  const { code, stdout, log } = await runBridge(['top', '--url', broker.url, '--queue', 'test-nobody-has-it'])
  expect({ code, stdout }).toEqual({ code: 69, stdout: [] })
  expect(log[0]?.message).toContain('no daemon answers')
})

test('on a terminal: live, and the terminal is what it was, however it ends', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon({ args: ['--control', '--daemon-id', 'D-seen'] })
  await daemon.waitForLine('Listening for commands.')
  const top = `${process.execPath} ${entryPoint} top --url ${broker.url} --queue ${queue}`
  const shell = `stty rows 24 cols 80; stty -a > before
    ${top}; echo "exit $?"; ${top}; echo "exit $?"
    stty -a > after; cmp before after && echo same`
  const terminal = spawn('script', ['-qfec', shell, '/dev/null'], {
    cwd: temporaryFolder('terminal'),
    env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  onTestFinished(() => void terminal.kill('SIGKILL'))
  let shown = ''
  terminal.stdout.on('data', (data: Buffer) => {
    shown += data.toString()
  })
  await eventually('the daemon is on the screen', () => shown.includes('D-seen'))
  expect(shown).toContain(ENTER)
  expect(shown).toContain('q quit  p pause')
  expect(shown).not.toContain(LEAVE)
  terminal.stdin.write('q')
  await eventually('it has ended', () => shown.includes(`${LEAVE}exit 0`))

  const second = await eventually('the second one is there', () => {
    const later = shown.slice(shown.indexOf('exit 0'))
    return later.includes('D-seen') && processOf(`top --url ${broker.url} --queue ${queue}`)
  })
  process.kill(second, 'SIGTERM')
  await eventually('both have ended', () => shown.includes('same'))
  expect(shown).toContain(`${LEAVE}exit 0\r\nsame`)
})

/** The process id of the program with these arguments. */
function processOf(args: string): number | undefined {
  const found = readdirSync('/proc').find(
    (pid) => /^\d+$/.test(pid) && commandLineOf(pid) === `${process.execPath} ${entryPoint} ${args}`,
  )
  return found === undefined ? undefined : Number(found)
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
