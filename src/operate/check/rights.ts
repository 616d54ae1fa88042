import type { BrokerUrl } from '../../amqp/broker-url.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import { queuesOf } from '../../config/queues.ts'
import { quoted } from './shell.ts'

/**
 * The command that gives the user of a broker all rights that the bridges need, and no others.
 *
 * @param control whether operators can tell the daemon what to do by way of the broker (docs/control.md)
 */
export function rightsCommand(
  { sasl, vhost }: BrokerUrl,
  bridges: readonly BridgeConfig[],
  control: boolean,
): string {
  const user = sasl.mechanism === 'PLAIN' ? sasl.username : 'USER'
  const queues = bridges.flatMap((config) => {
    const { always, atNeed } = queuesOf(config)
    const names = always.map(({ name }) => escaped(name))
    const retries = atNeed.length > 0 ? [`${escaped(config.queue)}\\.retry\\..*`] : []
    return [...names, ...retries, ...(control ? [`${escaped(config.queue)}\\.paused`] : [])]
  })
  const own = control ? ['amq\\.gen-.*'] : []
  const exchange = control ? ['fpm-bridge'] : []
  const patterns = [
    [...queues, ...exchange, ...own],
    ['amq\\.default', ...own],
    [...queues, ...exchange, ...own],
  ].map((names) => quoted(`^(${[...new Set(names)].join('|')})$`))
  return `rabbitmqctl set_permissions -p ${quoted(vhost)} ${quoted(user)} ${patterns.join(' ')}`
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
