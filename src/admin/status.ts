import type { Failures } from '../observe/failures.ts'
import { statusOf } from '../observe/status.ts'
import type { ProcessView } from '../observe/views.ts'
import { json, type Page } from './page.ts'

export function status(view: ProcessView, failures: Failures): Page {
  return async () => json(200, await statusOf(view, failures.latest))
}
