import { json, type Page } from './page.ts'

/** The event loop turns, or nobody would answer. */
export function livez(): Page {
  return () => json(200, { alive: true })
}
