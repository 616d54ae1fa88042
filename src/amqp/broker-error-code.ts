/**
 * What has failed at the broker.
 *
 * - `UNREACHABLE`: no connection, one that did not answer in time, or a broker that refuses what it may allow later, as for a
 *   node that is down or a limit that is reached.
 * - `TLS_REFUSED`: one side does not accept the other's certificate, or there is no TLS at all; `LOGIN_REFUSED`,
 *   `VHOST_REFUSED`, `QUEUE_MISSING`, `QUEUE_REFUSED`: the broker said no; `QUEUE_UNFIT`: the queue that is there loses messages. It
 *   stays so until somebody changes something.
 * - `UNROUTABLE`, `NOT_CONFIRMED`: a published message that is in no queue for certain, or perhaps.
 * - `INVALID_MESSAGE`, `HEADERS_TOO_LARGE`: a message whose properties AMQP cannot express, or that does not fit into the
 *   frames that the broker takes (frame_max); nothing was sent.
 * - `MESSAGE_REFUSED`, `BODY_TOO_LARGE`: a message that the broker takes from nobody; it has closed channel or connection over it.
 * - `SUSPECTED`: that has happened while several messages were on their way. `CUT_OFF`: the connection has ended under it, for another
 *   reason, or for none that was given. `UNANSWERED`: nobody has confirmed it in time.
 * - `PUBLISH_REFUSED`: the user may not publish. `CONTROL_REFUSED`: it may not hear commands. `CHANNEL_LIMIT`: the broker allows fewer channels than we need.
 */
export type BrokerErrorCode =
  | 'UNREACHABLE'
  | 'TLS_REFUSED'
  | 'LOGIN_REFUSED'
  | 'VHOST_REFUSED'
  | 'QUEUE_MISSING'
  | 'QUEUE_REFUSED'
  | 'QUEUE_UNFIT'
  | 'UNROUTABLE'
  | 'NOT_CONFIRMED'
  | 'INVALID_MESSAGE'
  | 'HEADERS_TOO_LARGE'
  | 'MESSAGE_REFUSED'
  | 'BODY_TOO_LARGE'
  | 'SUSPECTED'
  | 'CUT_OFF'
  | 'UNANSWERED'
  | 'PUBLISH_REFUSED'
  | 'CONTROL_REFUSED'
  | 'CHANNEL_LIMIT'
