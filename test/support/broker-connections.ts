import type { Broker } from './broker-api.ts'
import { eventually } from './eventually.ts'

interface Listed {
  readonly name: string
  readonly client_properties: { readonly connection_name?: string }
}

/** Has the broker close the connection of this name, as `rabbitmqctl close_connection` does; waits until it is listed. */
export async function closeConnection(broker: Pick<Broker, 'api'>, connectionName: string): Promise<void> {
  await eventually(`connection ${connectionName} is listed`, async () => {
    const connections = await broker.api<Listed[]>('GET', '/connections')
    const found = connections.find(
      ({ client_properties }) => client_properties.connection_name === connectionName,
    )
    if (found === undefined) return false
    await broker.api('DELETE', `/connections/${encodeURIComponent(found.name)}`)
    return true
  })
}

/** The same for all connections whose names begin so, once there are that many: both of a daemon, for one. */
export async function closeConnections(
  broker: Pick<Broker, 'api'>,
  prefix: string,
  atLeast: number,
): Promise<void> {
  const found = await eventually(`${atLeast} connections of ${prefix} are listed`, async () => {
    const connections = await broker.api<Listed[]>('GET', '/connections')
    const own = connections.filter(({ client_properties }) =>
      client_properties.connection_name?.startsWith(prefix),
    )
    return own.length >= atLeast && own
  })
  for (const { name } of found) await broker.api('DELETE', `/connections/${encodeURIComponent(name)}`)
}
