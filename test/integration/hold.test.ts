import { renameSync } from 'node:fs'
import { expect } from 'vitest'
import { count, HOLD_OVER, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { expectCounts, readyIn } from '../support/queue-counts.ts'
import { workerThat } from '../support/worker-script.ts'

/* What no script has seen is kept: nothing is counted as an attempt, nothing is given up, in both modes. */

const COMPLETED = ['--ack', 'completed', '--retry-delay', '100ms', '--max-attempts', '2']
const argsOf = (ack: string) => (ack === 'completed' ? COMPLETED : ['--ack', ack])
const EACH = [
  { ack: 'completed', expose: 'on' },
  { ack: 'dispatched', expose: 'off' },
]

test.for(EACH)(
  '--ack $ack, expose_php $expose: a script that is missing at start is waited for',
  async ({ ack, expose }, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ ini: { expose_php: expose } })
    const worker = workerThat('')
    renameSync(worker.path, `${worker.path}.away`)
    await publishAll(broker, queue, numbers(20), (index) => ({ messageId: `M-${index + 1}` }))
    const args = [...argsOf(ack), '--log-level', 'debug']
    const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
    const line = await daemon.waitForLine(HOLDING)
    expect(line['reason']).toContain('php-fpm runs no script: File not found. Is --script ')
    await eventually('it has been probed', () => count(daemon.log, 'Dispatched.') >= 7)
    // What was on its way when the first one found out was acked; what probes is not.
    expect(putBack(daemon.log)).toBeLessThanOrEqual(ack === 'completed' ? 0 : 4)

    renameSync(`${worker.path}.away`, worker.path)
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 20)
    const executed = worker.executions().map((line) => line.split(' ').slice(0, 2).join(' '))
    expect(executed.sort()).toEqual(
      numbers(20)
        .map(({ number }) => `M-${number} 1`)
        .sort(),
    )
    expect([count(daemon.log, HOLDING), count(daemon.log, HOLD_OVER)]).toEqual([1, 1])
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    expect(await readyIn(broker, queue)).toBe(0)
    expect(await readyIn(broker, `${queue}.dead`)).toBe(0)
  },
)

test.for(EACH)(
  '--ack $ack, expose_php $expose: a script that is deleted in mid-run is waited for',
  async ({ ack, expose }, { broker, queue, ownPool, startDaemon }) => {
    // One child: it has executed the script before, and has its path in the realpath cache.
    const pool = await ownPool({ children: 1, ini: { expose_php: expose } })
    const worker = workerThat('')
    await publishAll(broker, queue, numbers(1))
    const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args: argsOf(ack) })
    await daemon.waitForLine('Executed.')
    renameSync(worker.path, `${worker.path}.away`)
    await publishAll(broker, queue, numbers(5))
    const line = await daemon.waitForLine(HOLDING)
    expect(line['reason']).toContain('php-fpm runs no script: No input file specified. Is --script ')
    expect(line['stderr']).toContain('Unable to open primary script: ')
    renameSync(`${worker.path}.away`, worker.path)
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 6)
    expect(worker.executions()).toHaveLength(6)
    expect([count(daemon.log, HOLDING), count(daemon.log, HOLD_OVER)]).toEqual([1, 1])
  },
)

test.for(EACH)(
  '--ack $ack, expose_php $expose: a script with an extension that the pool does not run is waited for',
  async ({ ack, expose }, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ ini: { expose_php: expose } })
    const worker = workerThat('')
    const script = `${worker.path}.txt`
    renameSync(worker.path, script)
    await publishAll(broker, queue, numbers(6))
    const daemon = await startDaemon({ socket: pool.socket, script, args: argsOf(ack) })
    const line = await daemon.waitForLine(HOLDING)
    expect(line['reason']).toContain('php-fpm runs no script: Access denied. Is --script ')
    expect(line['stderr']).toContain('(see security.limit_extensions)')
    // Nobody but the operator can end this. Nothing is lost on the way.
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    await expectCounts(broker, queue, { ready: 6, unacked: 0 })
    expect(worker.executions()).toEqual([])
  },
)

function putBack(log: readonly { message: string }[]): number {
  return count(log, 'Not executed, though acked: put back into its queue.')
}
