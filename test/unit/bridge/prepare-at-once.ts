import { type PreparedRequest, prepareRequest } from '../../../src/bridge/request.ts'

/** The request of a body that is small enough to be prepared at once. */
export function prepareAtOnce(...given: Parameters<typeof prepareRequest>): PreparedRequest {
  const prepared = prepareRequest(...given)
  if (prepared instanceof Promise) throw new Error('The request is not prepared at once')
  return prepared
}
