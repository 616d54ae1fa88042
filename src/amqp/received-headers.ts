import type { MessageProperties as AmqplibProperties } from 'amqplib'
import type { HeaderField } from '../bridge/ports.ts'
import { tableOf } from './content-header-filter.ts'
import { decodeTable, Undecodable } from './field-table.ts'
import { splitFields } from './header-fields.ts'
import { PUBLISH_ID } from './publish-id.ts'

/** The header table of a message as it came, and why nobody can decode it, if that is so. */
export type ReceivedHeaders = Readonly<{ table: Buffer | undefined; defect: string | undefined }>

const NONE: ReceivedHeaders = { table: undefined, defect: undefined }

/** Puts the decoded table into the place of what the filter made of it; none where there was none, or nobody can decode it. */
export function readHeaders(properties: AmqplibProperties): ReceivedHeaders {
  const table = tableOf(properties.headers)
  if (table === undefined) return NONE
  try {
    const headers = decodeTable(table)
    // Only what we have published has it.
    if (headers[PUBLISH_ID] !== undefined) delete headers[PUBLISH_ID]
    properties.headers = headers
    return { table, defect: undefined }
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error
    properties.headers = undefined
    return { table, defect: `its header table ${error.message}` }
  }
}

/** The fields of a table that nobody can decode are none: whoever gets a copy could not, either. */
export function fieldsOf({ table, defect }: ReceivedHeaders): readonly HeaderField[] {
  if (table === undefined || defect !== undefined) return []
  return splitFields(table).filter(([name]) => name !== PUBLISH_ID)
}
