/*
 * AMQP 0-9-1 in bytes, for peers that say what a library would not: scripted brokers, hostile publishers.
 */

export const byte = (value: number): Buffer => Buffer.from([value])
export const short = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
export const long = (value: number): Buffer => Buffer.concat([short(value >>> 16), short(value & 0xffff)])
export const longlong = (value: number): Buffer => Buffer.concat([long(0), long(value)])
export const shortString = (text: string): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)])
export const longString = (text: string): Buffer =>
  Buffer.concat([long(Buffer.byteLength(text)), Buffer.from(text)])

/** One field of a header table (RabbitMQ's errata for section 4.2.5.5). */
export function field(name: string, type: string, ...value: readonly Buffer[]): Buffer {
  return Buffer.concat([byte(name.length), Buffer.from(name + type), ...value])
}

/** A frame (section 2.3.5 of the specification); 1 is a method, 2 a content header, 3 a body. */
export function frame(type: number, channel: number, payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([type]),
    short(channel),
    long(payload.length),
    payload,
    Buffer.from([0xce]),
  ])
}

export function method(channel: number, id: readonly [number, number], ...args: readonly Buffer[]): Buffer {
  return frame(1, channel, Buffer.concat([short(id[0]), short(id[1]), ...args]))
}

/** The content header of a message with these property flags and values (section 2.3.5.2). */
export function contentHeader(
  channel: number,
  bodySize: number,
  flags: number,
  ...values: readonly Buffer[]
): Buffer {
  return frame(2, channel, Buffer.concat([short(60), short(0), longlong(bodySize), short(flags), ...values]))
}

/** The flags of basic properties, the first property being the highest bit. */
export const FLAG = {
  contentType: 1 << 15,
  contentEncoding: 1 << 14,
  headers: 1 << 13,
  deliveryMode: 1 << 12,
  messageId: 1 << 7,
}

/**
 * The fields of a table that holds an array in an array in an array, or a table in a table: 5 bytes a level, or 6.
 *
 * @param levels of nesting, the table around it all included
 */
export function nestedFields(levels: number, type: 'A' | 'F' = 'A'): Buffer {
  const field = type === 'A' ? Buffer.from('A') : Buffer.from('\0F')
  const size = field.length + 4
  const bytes = Buffer.alloc((levels - 1) * size + (type === 'A' ? 1 : 0))
  let offset = type === 'A' ? 1 : 0
  for (let inner = levels - 2; inner >= 0; inner -= 1) {
    offset += field.copy(bytes, offset)
    offset = bytes.writeUInt32BE(inner * size, offset)
  }
  return bytes
}
