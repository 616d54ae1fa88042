/** Numbers of the FastCGI Specification 1.0, section 8, under its names. */

export const VERSION_1 = 1

/** Every record begins with version, type, requestId (2), contentLength (2), paddingLength, reserved (section 3.3). */
export const HEADER_BYTES = 8

/** contentLength is an unsigned 16-bit integer. */
export const MAX_CONTENT_BYTES = 65_535

/**
 * php-fpm takes one request at a time on a connection (FCGI_MPXS_CONNS=0). They are numbered from 1 all the same: it answers
 * with the id that it was asked with, so that what a script still prints after fastcgi_finish_request(), or a child that it
 * forked, is told from the answer to the next request.
 */
export const FIRST_REQUEST_ID = 1

export const RecordType = {
  beginRequest: 1,
  endRequest: 3,
  params: 4,
  stdin: 5,
  stdout: 6,
  stderr: 7,
} as const
export type RecordType = (typeof RecordType)[keyof typeof RecordType]

/** The role of an application that answers HTTP requests (section 6.2). */
export const RESPONDER = 1

/** beginRequest flag: the application leaves the connection open after the answer (section 5.1). */
export const KEEP_CONN = 1

/** protocolStatus of endRequest: the request was handled (section 5.5). Anything else: it was refused. */
export const REQUEST_COMPLETE = 0
