import { describe, expect, it } from 'vitest'
import { meaningOf, replyOf } from '../../../src/amqp/reply.ts'

/*
 * The texts of RabbitMQ, as 3.10.8 and 4.0.5 write them. Where they differ, or only one of them has it, the version is
 * named. From deps/rabbit/src at the tags v3.10.8 and v4.0.5: rabbit_reader, rabbit_access_control, rabbit_amqqueue,
 * rabbit_channel, rabbit_quorum_queue; rabbit_misc:rs makes "queue 'q' in vhost '/'" of a queue.
 */

const Q = "queue 'q' in vhost '/'"
const NODE = "'rabbit@two'"

describe('what the broker says passes by itself', () => {
  it.each<[number, string, RegExp?]>([
    // rabbit_reader
    [
      530,
      "NOT_ALLOWED - access to vhost '/' refused for user 'u': connection limit (5) is reached",
      /raise the limit/,
    ],
    [
      530,
      "NOT_ALLOWED - access to vhost '/' refused for user 'u': connection limit cannot be queried, timeout",
    ], // 4.0
    [530, 'NOT_ALLOWED - connection refused: node connection limit (5) is reached', /raise the limit/], // 4.0
    [
      530,
      "NOT_ALLOWED - connection refused for user 'u': user connection limit (5) is reached",
      /raise the limit/,
    ],
    [
      530,
      'NOT_ALLOWED - number of channels opened (7) has reached the negotiated channel_max (7)',
      /raise the limit/,
    ],
    [
      530,
      "NOT_ALLOWED - number of channels opened for user 'u' has reached the maximum allowed user limit of (7)",
    ],
    [
      530,
      "NOT_ALLOWED - number of channels opened on node 'a@b' has reached the maximum allowed limit of (7)",
    ], // 4.0
    [541, "INTERNAL_ERROR - access to vhost '/' refused for user 'u': vhost '/' is down", /restart_vhost/],
    [320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"],
    [320, 'CONNECTION_FORCED - Node was put into maintenance mode'],
    // rabbit_access_control, when LDAP or HTTP does not answer
    [
      530,
      "NOT_ALLOWED - access to vhost '/' refused for user 'u', backend rabbit_auth_backend_ldap returned an error: {error,timeout}",
    ],
    [
      403,
      `ACCESS_REFUSED - access to ${Q} refused for user 'u', backend rabbit_auth_backend_http returned an error: {error,timeout}`,
      /authorization backend/,
    ],
    // rabbit_amqqueue:priv_absent
    [404, `NOT_FOUND - home node ${NODE} of durable ${Q} is down or inaccessible`, /start that/],
    [404, `NOT_FOUND - ${Q} process is stopped by supervisor`, /restarted/],
    [404, `NOT_FOUND - ${Q} has crashed and failed to restart`, /restarted/],
    [404, `NOT_FOUND - failed to perform operation on ${Q} due to timeout`, /quorum_status/],
    [
      404,
      `NOT_FOUND - failed to perform operation on ${Q}: its master replica <0.1.0> may be stopping or being demoted`,
    ], // 3.10
    [
      404,
      `NOT_FOUND - failed to perform operation on ${Q}: its leader <0.1.0> may be stopping or being demoted`,
    ], // 4.0
    // rabbit_channel
    [403, `ACCESS_REFUSED - ${Q} in exclusive use`, /another consumer/],
    [
      406,
      "PRECONDITION_FAILED - cannot declare queue 'q': queue limit in vhost '/' (5) is reached",
      /raise the limit/,
    ],
    [541, `INTERNAL_ERROR - ${Q} timeout occurred during consume operation`, /quorum_status/],
    [506, `RESOURCE_ERROR - ${Q} does not have a running local replica`],
    // rabbit_quorum_queue
    [
      541,
      `INTERNAL_ERROR - Cannot declare quorum ${Q} on node 'a@b' with leader on node 'a@b': timeout`,
      /quorum_status/,
    ],
    [
      541,
      `INTERNAL_ERROR - Could not declare quorum ${Q} on node 'a@b' because the metadata store operation timed out`,
    ], // 4.0
    // Cut off after 252 bytes, or not known to us: in doubt it passes.
    [530, `NOT_ALLOWED - access to vhost '${'v'.repeat(220)}...`],
    [530, 'NOT_ALLOWED - something new'],
    [404, 'NOT_FOUND - something new'],
    [406, 'PRECONDITION_FAILED - something new'],
    [599, 'NEW - something new'],
  ])('%d %s', (code, text, remedy) => {
    const meaning = meaningOf({ code, text })
    expect(meaning.code).toBe('UNREACHABLE')
    if (remedy !== undefined) expect(meaning.remedy).toMatch(remedy)
  })
})

describe('what stays until somebody changes something', () => {
  it.each<[number, string, string]>([
    [
      403,
      'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.',
      'LOGIN_REFUSED',
    ],
    [530, 'NOT_ALLOWED - vhost a vhost not found', 'VHOST_REFUSED'],
    [530, "NOT_ALLOWED - access to vhost 'it's' refused for user 'u'", 'VHOST_REFUSED'],
    [404, `NOT_FOUND - no ${Q}`, 'QUEUE_MISSING'],
    [403, `ACCESS_REFUSED - access to ${Q} refused for user 'u'`, 'QUEUE_REFUSED'], // 3.10
    [403, `ACCESS_REFUSED - read access to ${Q} refused for user 'u'`, 'QUEUE_REFUSED'], // 4.0
    [
      405,
      `RESOURCE_LOCKED - cannot obtain exclusive access to locked ${Q}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
      'QUEUE_REFUSED',
    ],
    [
      406,
      `PRECONDITION_FAILED - inequivalent arg 'durable' for ${Q}: received 'true' but current is 'false'`,
      'QUEUE_REFUSED',
    ],
    [
      406,
      `PRECONDITION_FAILED - invalid arg 'x-message-ttl' for ${Q}: {unacceptable_type,longstr}`,
      'QUEUE_REFUSED',
    ],
  ])('%d %s', (code, text, meaning) => {
    expect(meaningOf({ code, text }).code).toBe(meaning)
  })
})

describe("the reply in amqplib's errors", () => {
  it.each([
    [
      `Operation failed: QueueDeclare; 404 (NOT-FOUND) with message "NOT_FOUND - no ${Q}"`,
      `NOT_FOUND - no ${Q}`,
    ],
    ['Connection closed: 541 (INTERNAL-ERROR) with message "a "quoted"\nword"', 'a "quoted"\nword'],
  ])('%j', (message, text) => {
    expect(replyOf(Object.assign(new Error(message), { code: 404 }))).toEqual({ code: 404, text })
  })

  it('is none where the broker said nothing', () => {
    expect(replyOf(new Error('Heartbeat timeout'))).toBeUndefined()
    expect(
      replyOf(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
    ).toBeUndefined()
  })
})
