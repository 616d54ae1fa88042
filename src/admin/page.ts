/** What a page answers with. */
export interface Answer {
  readonly status: 200 | 503
  /** As Content-Type. */
  readonly type: string
  readonly body: string
}

/** A page of the admin server, made anew for each request. */
export type Page = () => Answer | Promise<Answer>

/** Whoever asks while the page is being made gets the same one: no number of clients costs more than one. */
export function shared(page: Page): Page {
  let making: Promise<Answer> | undefined
  return () => {
    making ??= Promise.resolve()
      .then(page)
      .finally(() => {
        making = undefined
      })
    return making
  }
}

export function json(status: Answer['status'], value: unknown): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value, undefined, 2)}\n` }
}
