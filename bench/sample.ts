import type { Options } from 'amqplib'

/** A message that an application has sent, to be published again, each time with another number. */
export interface Sample {
  readonly body: string
  readonly properties: Options.Publish
}

/** Stands for the number in a sample. Numbers have its length, since serialized PHP counts. */
export const NUMBER = '#######'

/** @throws when the sample does not have one number */
export function numberedAs({ body }: Sample): (number: number) => string {
  const parts = body.split(NUMBER)
  if (parts.length !== 2) throw new Error(`Not a message with one ${NUMBER}: ${body}`)
  return (number) => parts.join(String(number).padStart(NUMBER.length, '0'))
}
