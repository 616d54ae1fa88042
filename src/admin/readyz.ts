import { obstructionsOf } from '../observe/readiness.ts'
import type { ProcessView } from '../observe/views.ts'
import { json, type Page } from './page.ts'

/** 503 with the reasons while messages cannot be executed. */
export function readyz(view: ProcessView): Page {
  return async () => {
    const reasons = await obstructionsOf(view)
    return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons })
  }
}
