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
