import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../support/eventually.ts'
import { ALL_SLOTS } from '../fault-kinds.ts'
import { consumingAgain, executingAgain } from '../recovery.ts'
import type { Fault } from '../schedule.ts'
import { DAEMON_USER } from '../stage.ts'
import type { Arena, Course } from './arena.ts'

/** As if the machine had crashed; what was on disk stays. */
export async function killBroker({ stage, fleet }: Arena, { lasts }: Fault): Promise<Course> {
  const began = Date.now()
  await stage.broker.kill()
  const killed = Date.now()
  await sleep(lasts)
  await stage.broker.start()
  const lifted = Date.now()
  return { began, lifted, recovered: await consumingAgain(fleet, killed), slots: ALL_SLOTS }
}

/** The Erlang node stays, RabbitMQ in it is stopped and started: connections are closed in order. */
export async function stopBrokerApp({ stage, fleet }: Arena, { lasts }: Fault): Promise<Course> {
  const began = Date.now()
  await stage.broker.ctl('stop_app')
  const stopped = Date.now()
  await sleep(lasts)
  await stage.broker.ctl('start_app')
  const lifted = Date.now()
  return { began, lifted, recovered: await consumingAgain(fleet, stopped), slots: ALL_SLOTS }
}

/** Those of the flow, too. */
export async function closeConnections({ stage, fleet }: Arena): Promise<Course> {
  const began = Date.now()
  await stage.broker.ctl('close_all_connections', 'chaos')
  const lifted = Date.now()
  return { began, lifted, recovered: await consumingAgain(fleet, began), slots: ALL_SLOTS }
}

/** The daemons' user may do nothing for a while; a connection that is open would not notice. */
export async function takePermissions({ stage, fleet }: Arena, { lasts }: Fault): Promise<Course> {
  const began = Date.now()
  await stage.setPermissions('none')
  await stage.broker.ctl('close_all_user_connections', DAEMON_USER, 'chaos')
  await sleep(lasts)
  await stage.setPermissions('all')
  const lifted = Date.now()
  return { began, lifted, recovered: await consumingAgain(fleet, lifted), slots: ALL_SLOTS }
}

/** The broker stops reading from every connection that publishes: the flow's, and the daemons' publishing ones. */
export async function alarmBroker({ stage, flow }: Arena, { lasts }: Fault): Promise<Course> {
  const began = Date.now()
  await stage.broker.ctl('set_vm_memory_high_watermark', '0.0001')
  await eventually('the flow is blocked', () => flow.blocked)
  await sleep(lasts)
  await stage.broker.ctl('set_vm_memory_high_watermark', '0.9')
  const lifted = Date.now()
  await eventually('the flow is no longer blocked', () => !flow.blocked)
  return { began, lifted, recovered: await executingAgain(stage.journal, lifted), slots: ALL_SLOTS }
}
