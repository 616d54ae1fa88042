import { fleetLivez, fleetMetrics, fleetReadyz, fleetStatus } from '../admin/fleet.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import type { RunConfig } from '../config/run-config.ts'
import { FleetMetrics } from '../observe/fleet-metrics.ts'
import { AdminListener } from './admin-listener.ts'
import { type FleetIdentity, FleetWatch } from './fleet-watch.ts'
import { PoolWatches } from './pool-watch.ts'

/** What looks at a fleet, and the web server that shows it. It is loaded only where somebody wants it. */
export class FleetAdmin {
  readonly watch: FleetWatch
  readonly #listener: AdminListener

  private constructor(watch: FleetWatch, listener: AdminListener) {
    this.watch = watch
    this.#listener = listener
  }

  /**
   * @param bridges of the configuration as it is at the moment
   * @returns undefined without --admin
   * @throws {OptionError} when it cannot listen there
   */
  static async open(
    { admin }: RunConfig['process'],
    fleet: FleetIdentity,
    bridges: () => readonly BridgeConfig[],
  ): Promise<FleetAdmin | undefined> {
    if (admin === undefined) return undefined
    const pools = new PoolWatches()
    const watch = new FleetWatch(fleet, () => pools.of(bridges()))
    const metrics = new FleetMetrics(watch)
    const listener = await AdminListener.open(admin, [
      ['/livez', fleetLivez(watch)],
      ['/readyz', fleetReadyz(watch)],
      ['/status', fleetStatus(watch)],
      ['/metrics', fleetMetrics(watch, metrics)],
    ])
    return new FleetAdmin(watch, listener)
  }

  close(): void {
    this.#listener.close()
  }
}
