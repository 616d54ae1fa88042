import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/laravel.ts'

/* A job with one try that fails without having run is gone: so a reload of php-fpm may cost none. */

const JOBS = 400
const RELOADS = 3
const BATCH = 400

test.for([1, 100])(
  'a graceful reload under load fails no job that has one try, with %i in a request',
  async (perRequest, { laravel, startDaemon }) => {
    const { pool, script, dispatch, notes, failedJobs } = await laravel({
      children: 8,
      opcache: true,
      global: { process_control_timeout: '24m' },
    })
    for (let done = 0; done < JOBS; done += BATCH) {
      const names = Array.from({ length: BATCH }, (_, index) => `job-${done + index}`)
      await dispatch(...names.map((name) => ({ name, set: { tries: 1 } })))
    }
    const args = [
      '--ack',
      'completed',
      '--payload',
      'raw',
      '--require-marker',
      '--concurrency',
      '8',
      '--messages-per-request',
      String(perRequest),
    ]
    const daemon = await startDaemon({ socket: pool.socket, script, args })
    const executed = () => count(daemon.log, 'Executed.')
    for (let reload = 1; reload <= RELOADS; reload += 1) {
      const share = (JOBS * reload) / (RELOADS + 1)
      await eventually('some are executed', () => executed() >= share)
      await pool.reload()
      await sleep(50)
    }
    await eventually('all are executed', () => executed() === JOBS)
    const handled = notes().filter(({ event }) => event === 'handle')
    expect(handled.map(({ attempt }) => attempt)).toEqual(Array(JOBS).fill(1))
    expect(new Set(handled.map(({ name }) => name)).size).toBe(JOBS)
    expect(await failedJobs()).toEqual([])
    expect(count(daemon.log, 'To be executed again.')).toBe(0)
  },
)
