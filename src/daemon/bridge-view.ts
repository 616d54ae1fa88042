import type { Consumer } from '../amqp/consumer.ts'
import type { Domain } from '../bridge/domain.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import { formatPoolAddress } from '../fastcgi/address.ts'
import type { BridgeView, HoldView } from '../observe/views.ts'

/** What a bridge knows of itself. */
type Own = Pick<BridgeView, 'state' | 'counts' | 'executionTimes'>

/** A bridge at this moment. */
export function viewOf(config: BridgeConfig, own: Own, domain: Domain, consumer: Consumer): BridgeView {
  const { name, queue, pool } = config
  return {
    ...own,
    name,
    queue,
    pool: formatPoolAddress(pool),
    sessionUp: consumer.up,
    resting: consumer.paused,
    pauses: domain.pause.causes,
    hold: holdOf(domain),
    inFlight: domain.dispatcher.inFlight,
    waiting: domain.backlog.size,
    concurrency: domain.slots.concurrency,
    executions: domain.executions.running,
  }
}

function holdOf({ hold: { obstacle, since } }: Domain): HoldView | undefined {
  return obstacle === undefined || since === undefined ? undefined : { reason: obstacle.reason, since }
}
