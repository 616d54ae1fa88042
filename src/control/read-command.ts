import { CONTROL_TYPE, type Command, VERBS, type Verb } from './protocol.ts'

/** Bytes of a body; a command has two names. */
const MAX_BODY = 4_096

/** What came by the exchange. */
export interface Message {
  readonly type: string | undefined
  readonly routingKey: string
  readonly body: Buffer
}

/** What somebody wants, or why that is no command. Its type says the verb, or, where that is none of ours, the routing key does. */
export type ReadCommand =
  | { readonly kind: 'command'; readonly verb: Verb; readonly command: Command }
  | { readonly kind: 'ignored'; readonly reason: string }

/** An empty body is a command to all: it can be published from RabbitMQ's own page. */
export function readCommand({ type, routingKey, body }: Message): ReadCommand {
  const word = type?.startsWith(CONTROL_TYPE) ? type.slice(CONTROL_TYPE.length) : routingKey
  const verb = VERBS.find((each) => each === word)
  if (verb === undefined)
    return ignored(`${JSON.stringify(word.slice(0, 100))} is none of ${VERBS.join(', ')}`)
  if (body.length > MAX_BODY) return ignored(`the body of ${verb} is longer than ${MAX_BODY} bytes`)
  const command = body.length === 0 ? {} : parse(body)
  if (command === undefined)
    return ignored(`the body of ${verb} is no JSON object with the texts queue and daemon, or none of them`)
  return { kind: 'command', verb, command }
}

function parse(body: Buffer): Command | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const { queue, daemon, detail } = value as Readonly<Record<string, unknown>>
    if (!isTextOrMissing(queue) || !isTextOrMissing(daemon)) return undefined
    return {
      ...(queue !== undefined && { queue }),
      ...(daemon !== undefined && { daemon }),
      ...(detail === true && { detail }),
    }
  } catch {
    return undefined
  }
}

function isTextOrMissing(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function ignored(reason: string): ReadCommand {
  return { kind: 'ignored', reason }
}
