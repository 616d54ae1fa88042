import type { Delivery } from '../../bridge/ports.ts'

/** Who has made a dead letter of the message, and what that one says of it. */
export interface Origins {
  readonly madeBy: 'fpm-bridge' | 'symfony' | 'laravel' | 'rabbitmq' | undefined
  /** Where it was before, and may go again. */
  readonly queue: string | undefined
  readonly reason: string | undefined
  readonly status: number | undefined
  readonly attempts: number | undefined
  readonly script: string | undefined
  /** What it is about, such as the class of a message or a job. */
  readonly subject: string | undefined
  /** The class of the exception. */
  readonly exception: string | undefined
  readonly stderr: string | undefined
  /** When it became one, in milliseconds since the epoch; otherwise when it was published, as its publisher says. */
  readonly time: number | undefined
  /** What an earlier replay has noted. */
  readonly replayed: string | undefined
}

export type Read = (delivery: Delivery) => Partial<Origins> | undefined

/** @returns undefined for what no calendar knows */
export function timeOf(milliseconds: number): number | undefined {
  return Math.abs(milliseconds) <= 8.64e15 ? milliseconds : undefined
}

/** Characters that are kept of what a header says. */
const MAX_TEXT = 2_048

export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : undefined
}

export function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

export function dateIn(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

/** The class of an exception, as PHP and the worker package write it. */
export function exceptionIn(text: string | undefined): string | undefined {
  return (
    /Uncaught ([A-Za-z_][\w\\]*)/.exec(text ?? '')?.[1] ??
    /\b([A-Za-z_][\w\\]*(?:Exception|Error))\b/.exec(text ?? '')?.[1]
  )
}
