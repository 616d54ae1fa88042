import { BRIDGE_LINES } from '../../../../src/observe/log-lines/bridge.ts'
import { BROKER_LINES } from '../../../../src/observe/log-lines/broker.ts'
import { CONTROL_LINES } from '../../../../src/observe/log-lines/control.ts'
import { COPY_LINES } from '../../../../src/observe/log-lines/copies.ts'
import { DELIVERY_LINES } from '../../../../src/observe/log-lines/deliveries.ts'
import { REPLY_LINES } from '../../../../src/observe/log-lines/replies.ts'
import { BRIDGE } from './bridge.rows.ts'
import { BROKER } from './broker.rows.ts'
import { CONTROL } from './control.rows.ts'
import { COPIES } from './copies.rows.ts'
import { DELIVERIES } from './deliveries.rows.ts'
import { REPLIES } from './replies.rows.ts'
import type { Row } from './samples.ts'

/** All tables of lines, each with its rows. */
export const TABLES: readonly [of: string, table: Readonly<Record<string, unknown>>, rows: readonly Row[]][] =
  [
    ['a delivery', DELIVERY_LINES, DELIVERIES],
    ['a reply', REPLY_LINES, REPLIES],
    ['a copy', COPY_LINES, COPIES],
    ['the bridge', BRIDGE_LINES, BRIDGE],
    ['the broker', BROKER_LINES, BROKER],
    ['operators', CONTROL_LINES, CONTROL],
  ]
