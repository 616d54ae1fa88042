/** The body cannot become a request; the message says why. */
export class UnprocessableError extends Error {
  override readonly name = 'UnprocessableError'
}
