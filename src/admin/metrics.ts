import type { Metrics } from '../observe/metrics.ts'
import type { Page } from './page.ts'

export function metrics({ registry }: Metrics): Page {
  return async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() })
}
