import type { MessageSource } from '../../config/publish-config.ts'
import { splitLines } from './lines.ts'

/** A body to publish and how to speak of it. */
export interface SourceMessage {
  readonly label: string
  readonly body: Buffer
}

/** How many messages a source will give, if that can be known. */
export function countOf(source: MessageSource): number | undefined {
  switch (source.kind) {
    case 'arguments':
      return source.bodies.length
    case 'template':
      return source.count
    case 'lines':
      return undefined
  }
}

/** The messages of a source, one at a time. */
export async function* readMessages(
  source: MessageSource,
  input: AsyncIterable<Buffer>,
): AsyncGenerator<SourceMessage> {
  switch (source.kind) {
    case 'arguments':
      for (const [index, body] of source.bodies.entries()) yield message(`message ${index + 1}`, body)
      return
    case 'template':
      for (let n = 1; n <= source.count; n += 1)
        yield message(`message ${n}`, source.body.replaceAll('{n}', String(n)))
      return
    case 'lines':
      for await (const { number, bytes } of splitLines(input)) yield { label: `line ${number}`, body: bytes }
  }
}

function message(label: string, body: string): SourceMessage {
  return { label, body: Buffer.from(body) }
}

/** Why a body is not what its content type says; undefined when it is, or when the type is not JSON. */
export function jsonFault(contentType: string | undefined, body: Buffer): string | undefined {
  if (!/^application\/(?:json|[^;]*\+json)\s*(?:;|$)/i.test(contentType ?? '')) return undefined
  try {
    // With ignoreBOM the mark stays, and is refused, as json_decode would refuse it.
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
    return undefined
  } catch (error) {
    return error instanceof SyntaxError ? error.message.replace(/\p{Cc}/gu, ' ') : 'it is not valid UTF-8'
  }
}
