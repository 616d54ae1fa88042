import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { count, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test, workerScript } from '../support/fixtures.ts'
import { handlerScript } from '../support/handler-script.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { childrenOf, signalIfThere } from '../support/processes.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'

/* `--messages-per-request` above 1, from RabbitMQ to a worker of the composer package and back. */

const LOST = 'Acked, and no complete answer: nobody knows whether it was executed.'

const MANY = ['--messages-per-request', '100']
const COMPLETED = ['--ack', 'completed', ...MANY]

const tasks = (from: number, to: number, more: object = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ do: String(from + index), ...more }))

describe('many messages in a request', () => {
  test('are executed once each and acked, by few requests', async ({
    broker,
    queue,
    ownPool,
    startDaemon,
  }) => {
    const pool = await ownPool({ children: 4 })
    const { script, executions } = handlerScript(pool.directory, '', {
      do: "$message->payload()['do'] . ' ' . getmypid()",
    })
    await publishAll(broker, queue, tasks(1, 500))
    const daemon = await startDaemon({ socket: pool.socket, script, args: COMPLETED })
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 500)
    const done = executions().map((execution) => Number(execution.do.split(' ')[0]))
    expect(done.sort((a, b) => a - b)).toEqual(tasks(1, 500).map((task) => Number(task.do)))
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    await expectCounts(broker, queue, { ready: 0, unacked: 0 })
  })

  test('have each its own outcome', async ({ broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ children: 2 })
    const { script, executions } = handlerScript(
      pool.directory,
      `match (substr($do, 0, 4)) {
        'okay' => null,
        'reje' => throw new Reject('never'),
        'once' => $message->attempt === 1 ? throw new Retry(1) : null,
        'exit' => exit,
        'fail' => throw new \\RuntimeException('broken'),
        'dies' => $message->attempt === 1 ? exec('kill -9 ' . getmypid()) : null,
      };`,
    )
    const dos = ['okay1', 'reject', 'once', 'okay2', 'exit', 'okay3', 'fail', 'dies', 'okay4', 'okay5']
    await publishAll(
      broker,
      queue,
      dos.map((what) => ({ do: what })),
    )
    const args = [...COMPLETED, '--max-attempts', '2', '--retry-delay', '100ms']
    const daemon = await startDaemon({ socket: pool.socket, script, args })
    await eventually(
      'all are settled',
      () => count(daemon.log, 'Executed.') === 7 && count(daemon.log, 'Dead-lettered.') === 3,
    )
    const dead = await takeAll(broker, `${queue}.dead`)
    expect(dead.map(({ content }) => (JSON.parse(content.toString()) as { do: string }).do).sort()).toEqual([
      'exit',
      'fail',
      'reject',
    ])
    const attempts = (what: string) =>
      executions()
        .filter((execution) => execution.do === what)
        .map(({ attempt }) => attempt)
    for (const what of ['okay1', 'okay2', 'okay3', 'okay4', 'okay5', 'reject'])
      expect([what, attempts(what)]).toEqual([what, [1]])
    for (const what of ['once', 'exit', 'fail', 'dies'])
      expect([what, attempts(what)]).toEqual([what, [1, 2]])
    expect(
      daemon.log.filter(({ message }) => message === 'Dead-lettered.').map((line) => line['reason']),
    ).toContainEqual(expect.stringContaining('422'))
  })

  test('are not lost, acked when they are sent, while children are killed', async ({
    broker,
    queue,
    ownPool,
    startDaemon,
  }) => {
    const pool = await ownPool({ children: 4 })
    const { script, executions } = handlerScript(pool.directory, 'usleep(2000);')
    await publishAll(broker, queue, tasks(1, 1_000))
    const daemon = await startDaemon({ socket: pool.socket, script, args: [...MANY, '--prefetch', '16'] })
    let kills = 0
    await eventually('all are settled', async () => {
      const [victim] = childrenOf(pool.masterPid)
      if (kills < 12 && victim !== undefined && signalIfThere(victim, 'SIGKILL')) kills += 1
      await sleep(50)
      const settled = count(daemon.log, 'Executed.') + count(daemon.log, LOST)
      return settled >= 1_000 && (await countsOf(broker, queue))?.unacked === 0
    })
    const times = new Map<string, number>()
    for (const execution of executions()) times.set(execution.do, (times.get(execution.do) ?? 0) + 1)
    // What a child had at hand when it was killed may be lost, and the log says so; nothing else, and nothing is executed twice.
    expect(1_000 - times.size).toBeLessThanOrEqual(count(daemon.log, LOST))
    expect([...times.values()].filter((each) => each > 1)).toEqual([])
    expect(count(daemon.log, LOST)).toBeLessThanOrEqual(kills)
  })

  test('wait while the script does not speak the stream, and none is executed', async ({
    broker,
    queue,
    ownPool,
    startDaemon,
  }) => {
    const pool = await ownPool({ children: 2 })
    const handler = handlerScript(pool.directory, '')
    const script = `${pool.directory}/worker.php`
    writeFileSync(script, "<?php echo 'plain';")
    await publishAll(broker, queue, tasks(1, 20))
    const daemon = await startDaemon({ socket: pool.socket, script, args: COMPLETED })
    const held = () => daemon.log.filter(({ message }) => message === HOLDING)
    await eventually('it holds', () => held().length > 0)
    expect(held()[0]).toMatchObject({
      level: 'error',
      reason: expect.stringMatching(/not said hello.*Worker::run.*plain/),
    })
    await sleep(3_000)
    expect(held()).toHaveLength(1)
    expect(count(daemon.log, 'Executed.')).toBe(0)
    writeFileSync(script, `<?php require '${handler.script}';`)
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 20)
    expect(handler.executions().every(({ attempt }) => attempt === 1)).toBe(true)
  })

  test('do not keep a reload of the pool waiting', async ({ broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ children: 4, global: { process_control_timeout: '60s' } })
    const { script, executions } = handlerScript(pool.directory, 'usleep(1000);')
    await publishAll(broker, queue, tasks(1, 6_000))
    const daemon = await startDaemon({
      socket: pool.socket,
      script,
      args: ['--ack', 'completed', '--messages-per-request', '100000'],
    })
    await eventually('some are executed', () => count(daemon.log, 'Executed.') > 200)
    await pool.reload()
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 6_000)
    expect(executions()).toHaveLength(6_000)
    expect(executions().every(({ attempt }) => attempt === 1)).toBe(true)
  })

  test('end with what runs when the daemon drains', async ({ broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ children: 2 })
    const { script, executions } = handlerScript(pool.directory, 'usleep(20_000);')
    await publishAll(broker, queue, tasks(1, 2_000))
    const daemon = await startDaemon({
      socket: pool.socket,
      script,
      args: [...COMPLETED, '--concurrency', '2'],
    })
    await eventually('some are executed', () => count(daemon.log, 'Executed.') > 20)
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    const executed = executions().length
    expect(count(daemon.log, 'Executed.')).toBe(executed)
    await expectCounts(broker, queue, { ready: 2_000 - executed, unacked: 0 })
  })

  test('that are on their way to a child are not executed when the daemon is killed', async ({
    broker,
    queue,
    ownPool,
    startDaemon,
  }) => {
    const pool = await ownPool({ children: 2, ini: { ignore_user_abort: 1 } })
    const { script, executions } = handlerScript(pool.directory, 'usleep(30_000);')
    await publishAll(broker, queue, tasks(1, 200))
    const daemon = await startDaemon({
      socket: pool.socket,
      script,
      args: [...COMPLETED, '--concurrency', '2'],
    })
    await eventually('some are executed', () => executions().length > 20)
    daemon.signal('SIGKILL')
    await daemon.exited
    const then = executions().length
    await sleep(500)
    expect(executions().length - then).toBeLessThanOrEqual(2)
    await startDaemon({ socket: pool.socket, script, args: COMPLETED })
    await eventually(
      'all are executed',
      async () =>
        new Set(executions().map((each) => each.do)).size === 200 &&
        (await countsOf(broker, queue))?.unacked === 0,
    )
    // Executing, or executed and not acked: on a busy machine that may be all that a daemon has unacked.
    expect(executions().length - 200).toBeLessThanOrEqual(2 * 16)
  })

  test('are refused beside the library client', async ({ startDaemon }) => {
    const daemon = await startDaemon({
      script: workerScript,
      args: [...MANY, '--transport', 'fastcgi-client'],
    })
    expect(await daemon.exited).toMatchObject({ code: 64 })
    expect(daemon.log.map(({ message }) => message).join()).toContain(
      '--messages-per-request above 1 needs --transport native',
    )
  })

  test('wait, in one hold, for a script that no longer says hello, and has been slow before', async ({
    broker,
    queue,
    ownPool,
    startDaemon,
  }) => {
    const pool = await ownPool({ children: 2 })
    const handler = handlerScript(pool.directory, '')
    const script = `${pool.directory}/worker.php`
    writeFileSync(script, `<?php usleep(1_200_000); require '${handler.script}';`)
    const daemon = await startDaemon({ socket: pool.socket, script, args: COMPLETED })
    await publishAll(broker, queue, tasks(1, 5))
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 5)
    writeFileSync(script, `<?php echo 'plain';`)
    await sleep(2_500)
    await publishAll(broker, queue, tasks(6, 20))
    const held = () => count(daemon.log, HOLDING)
    await eventually('it holds', () => held() > 0)
    await sleep(8_000)
    expect(held()).toBe(1)
    writeFileSync(script, `<?php require '${handler.script}';`)
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 20)
    expect(handler.executions().every(({ attempt }) => attempt === 1)).toBe(true)
  })
})
