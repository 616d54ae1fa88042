import { fleetObstructionsOf, notAlive, STUCK } from '../observe/fleet-health.ts'
import type { FleetMetrics } from '../observe/fleet-metrics.ts'
import { fleetStatusOf } from '../observe/fleet-status.ts'
import type { FleetView } from '../observe/fleet-views.ts'
import { json, type Page } from './page.ts'

/** Milliseconds that processes have for an answer. Then what they have said last counts. */
const PATIENCE = 1_000

/** 503 with the ids of processes that do not answer, or that there are none of. */
export function fleetLivez(view: FleetView): Page {
  return async () => {
    await view.ask('report', STUCK)
    const reasons = notAlive(view)
    const alive = reasons.length === 0
    return json(alive ? 200 : 503, { alive, ...(!alive && { reasons }) })
  }
}

/** 503 with the reasons while the fleet is not as it should be. */
export function fleetReadyz(view: FleetView): Page {
  return async () => {
    await view.ask('report', PATIENCE)
    const reasons = await fleetObstructionsOf(view)
    return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons })
  }
}

export function fleetStatus(view: FleetView): Page {
  return async () => {
    await view.ask('status', PATIENCE)
    return json(200, await fleetStatusOf(view))
  }
}

export function fleetMetrics(view: FleetView, metrics: FleetMetrics): Page {
  return async () => {
    await view.ask('metrics', PATIENCE)
    return { status: 200, type: metrics.contentType, body: await metrics.text() }
  }
}
