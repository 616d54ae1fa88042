import { expect, it } from 'vitest'
import { takeServiceEnvironment } from '../../../src/daemon/service-environment.ts'

const SOCKET = { NOTIFY_SOCKET: '/run/systemd/notify', PATH: '/bin' }

it('takes what is meant for this process, and leaves nothing of it', () => {
  const environment = { ...SOCKET, WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7', HOME: '/root' }
  expect(takeServiceEnvironment(environment, 7)).toEqual({
    socket: '/run/systemd/notify',
    watchdog: 60_000,
    searchPath: '/bin',
  })
  expect(environment).toEqual({ PATH: '/bin', HOME: '/root' })
})

it.each([{}, { NOTIFY_SOCKET: '' }, { WATCHDOG_USEC: '60000000' }])(
  'nobody wants to be told: %o',
  (given) => {
    expect(takeServiceEnvironment({ ...given }, 7)).toBeUndefined()
  },
)

it.each([
  {},
  { WATCHDOG_USEC: '0' },
  { WATCHDOG_USEC: 'soon' },
  { WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' },
])('nobody watches it: %o', (given) => {
  const environment = { ...SOCKET, ...given }
  expect(takeServiceEnvironment(environment, 7)).toMatchObject({ watchdog: undefined })
  expect(environment).toEqual({ PATH: '/bin' })
})
