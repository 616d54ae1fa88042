import type { BridgePolicy, Delivery } from '../../../src/bridge/ports.ts'
import { Runner } from '../../../src/bridge/runner.ts'
import type { FastCgiClient, FastCgiRequest, FastCgiResponse } from '../../../src/fastcgi/types.ts'
import { answer } from '../../support/answers.ts'
import { config, executionOf, recordingEvents } from '../../support/recording.ts'

/** What the pool does with a request. */
export type Answer = (request: FastCgiRequest) => FastCgiResponse | Promise<FastCgiResponse>

export const COMPLETED = { ack: 'completed', maxAttempts: 5 } as const
export const DISPATCHED = { ack: 'dispatched', maxAttempts: 1 } as const

/** Sends the request whole, then answers so. */
export const sent =
  (result: () => FastCgiResponse): Answer =>
  ({ onSent }) => {
    onSent?.()
    return result()
  }

export function fails(error: unknown): never {
  throw error
}

/** A runner whose pool answers so. */
export function runnerOf(answers: Answer, given: Partial<BridgePolicy> = COMPLETED) {
  const requests: FastCgiRequest[] = []
  const client: FastCgiClient = {
    async request(request) {
      requests.push(request)
      return answers(request)
    },
    async probe() {},
    close() {},
  }
  const events = recordingEvents()
  const policy = { ...config, ...given }
  const runner = new Runner(policy, client, events.tell)
  const execute = (delivery: Delivery) => runner.run(executionOf(delivery, policy))
  return { execute, runner, requests, events }
}

export const succeeds = sent(() => answer(200))
