import { HEADER_PREFIX, REPLAYED } from '../../bridge/headers.ts'
import { dateIn, exceptionIn, numberIn, type Read, textIn } from './origin.ts'

/** What a bridge of ours says on its copies. */
export const fromBridge: Read = ({ properties: { headers } }) => {
  const said = (name: string): unknown => headers?.[`${HEADER_PREFIX}${name}`]
  const queue = textIn(said('queue'))
  if (queue === undefined || headers === undefined) return undefined
  const stderr = textIn(said('stderr'))
  const reason = textIn(said('reason'))
  return {
    madeBy: 'fpm-bridge',
    queue,
    reason,
    status: numberIn(said('status')),
    attempts: numberIn(said('attempt')),
    script: textIn(said('script')),
    subject: textIn(said('subject')),
    exception: exceptionIn(stderr) ?? exceptionIn(reason),
    stderr,
    time: dateIn(said('time')),
    replayed: textIn(headers[REPLAYED]),
  }
}
