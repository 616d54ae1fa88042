/**
 * What php-fpm 8.2.36 sent for a script that set status 503 and two values of X-A, echoed `hello`, flushed ` world\n`
 * and said `first` and `second` to error_log: stderr before and between stdout, records padded to 8 bytes.
 */
export const RECORDED = Buffer.from(
  '0107000100120600504850206d6573736167653a2066697273740000000000000106000100' +
    '7a06005374617475733a20353033205365727669636520556e617661696c61626c650d0a' +
    '582d506f77657265642d42793a205048502f382e322e33360d0a582d413a20310d0a582d' +
    '413a20320d0a436f6e74656e742d747970653a20746578742f68746d6c3b206368617273' +
    '65743d5554462d380d0a0d0a68656c6c6f00000000000001070001001503003b20504850' +
    '206d6573736167653a207365636f6e64000000010600010007010020776f726c640a0001' +
    '030001000800000000000000000000',
  'hex',
)

/** Where its endRequest record begins. */
export const RECORDED_END = RECORDED.length - 16

/** The response it stands for, without its timings. */
export const RECORDED_RESPONSE = {
  status: 503,
  headers: new Map([
    ['status', ['503 Service Unavailable']],
    ['x-powered-by', ['PHP/8.2.36']],
    ['x-a', ['1', '2']],
    ['content-type', ['text/html; charset=UTF-8']],
  ]),
  body: Buffer.from('hello world\n'),
  bodyTruncated: false,
  stderr: 'PHP message: first; PHP message: second',
  stderrTruncated: false,
  appStatus: 0,
}
