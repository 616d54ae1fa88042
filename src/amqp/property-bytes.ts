import type { MessageProperties } from '../bridge/ports.ts'
import { FRAME_END_BYTES, FRAME_HEADER_BYTES } from './content-header.ts'

/** Class, weight, body size and property flags. */
const FIXED_BYTES = 14

/** @returns the size of the content header frame with these properties, without its header table */
export function propertyBytes(properties: Omit<MessageProperties, 'headers'>): number {
  let bytes = FRAME_HEADER_BYTES + FIXED_BYTES + FRAME_END_BYTES
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'string') bytes += 1 + Buffer.byteLength(value)
    else if (value !== undefined) bytes += name === 'timestamp' ? 8 : 1
  }
  return bytes
}
