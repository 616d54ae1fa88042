import type { BridgePolicy, Delivery } from '../../../src/bridge/ports.ts'
import { type PreparedRequest, prepareRequest } from '../../../src/bridge/request.ts'
import { executionOf } from '../../support/recording.ts'

export interface Given {
  readonly executionId: string
  readonly attempt: number
}

/** What `prepareRequest` makes of this execution. */
export function prepare(delivery: Delivery, given: Given, policy: BridgePolicy) {
  return prepareRequest(Object.assign(executionOf(delivery, policy), given), policy)
}

/** The request of a body that is small enough to be prepared at once. */
export function prepareAtOnce(delivery: Delivery, given: Given, policy: BridgePolicy): PreparedRequest {
  const prepared = prepare(delivery, given, policy)
  if (prepared instanceof Promise) throw new Error('The request is not prepared at once')
  return prepared
}
