/**
 * What the rows of the outcome table are called, and what has happened where one of them fits: in the words of docs/outcomes.md, for those who
 * want to know which row has decided. In the order of the table.
 */
export const WHAT_HAPPENED = {
  unprocessable: 'the body cannot be executed',
  'no-connection': 'no connection to the pool, none in time, or the peer has never answered in FastCGI',
  'no-script':
    'php-fpm ran no script: File not found. or Access denied. with its line on stderr, or an empty answer',
  'marked-hold': 'response header X-Bridge-Outcome: hold',
  'unread-too-often': 'the request was not read, for the third time in a row',
  unread: 'the pool closed the connection before it had read the request (Unix socket)',
  'broken-off': 'the connection broke while a request of more than 64 KiB was being sent or read',
  'no-answer': 'no complete answer: reset, end of file, --timeout, no FastCGI',
  'looks-refused': 'File not found. or Access denied. as php-fpm says it, without its line on stderr',
  marked: 'X-Bridge-Outcome: ack, retry or dead-letter',
  'unknown-marker': 'any other X-Bridge-Outcome',
  'no-marker': 'no X-Bridge-Outcome, with --require-marker',
  'fatal-error': 'PHP reported a fatal error on stderr',
  'startup-warning': "the answer begins with a warning of PHP's request startup",
  success: 'status 2xx',
  temporary: '408, 409, 425, 429, 5xx, or no status from 200 to 599',
  'other-status': 'any other status',
} as const

export type OutcomeRow = keyof typeof WHAT_HAPPENED
