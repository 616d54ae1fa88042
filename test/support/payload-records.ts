import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

/** What PHP made of a request, as test/support/php/payload.php wrote it down. */
export interface PayloadRecord {
  /** Of what php://input gave. */
  readonly md5: string
  /** How many elements `$_POST` has. */
  readonly fields: number
  /** The first of them. */
  readonly post: unknown
  readonly files: unknown
  readonly params: Readonly<Record<string, string>>
  /** What json_decode makes of AMQP_HEADERS. */
  readonly headers: Readonly<Record<string, unknown>> | null
}

export const payloadScript = fileURLToPath(new URL('php/payload.php', import.meta.url))

export const md5 = (bytes: Buffer | string): string => createHash('md5').update(bytes).digest('hex')

/** Resolves with the first so many executions of a queue's messages, when there are so many. */
export function payloadRecords(workerLog: string, queue: string, count: number): Promise<PayloadRecord[]> {
  const path = `${workerLog}.${queue}`
  return eventually(
    `${count} executions are recorded`,
    () => {
      const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
      return lines.length >= count && lines.map((line) => JSON.parse(line) as PayloadRecord)
    },
    { within: 60_000 },
  )
}
