import { setTimeout as sleep } from 'node:timers/promises'

/** What a page answers with. */
export interface Answer {
  readonly status: 200 | 503
  /** As Content-Type. */
  readonly type: string
  readonly body: string
}

/** A page of the admin server, made anew for each request. */
export type Page = () => Answer | Promise<Answer>

/** Milliseconds from one making of a page to the next: so much of the process is left for its work, however fast clients ask. */
const PAUSE = 50

/** Whoever asks while the page is being made gets the same one: no number of clients costs more than one. */
export function shared(page: Page): Page {
  let making: Promise<Answer> | undefined
  let notBefore = 0
  const make = async (): Promise<Answer> => {
    const wait = notBefore - performance.now()
    await (wait > 0 ? sleep(wait) : undefined)
    try {
      return await page()
    } finally {
      notBefore = performance.now() + PAUSE
      making = undefined
    }
  }
  return () => {
    making ??= make()
    return making
  }
}

export function json(status: Answer['status'], value: unknown): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value, undefined, 2)}\n` }
}
