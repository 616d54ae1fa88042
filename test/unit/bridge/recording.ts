import type { BridgeConfig, Delivery, Log, LogLevel, MessageProperties } from '../../../src/bridge/ports.ts'

/** A delivery that notes how it was settled. */
export class RecordingDelivery implements Delivery {
  readonly deliveryTag: number
  readonly consumerTag = 'D-test'
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
  readonly properties: MessageProperties
  readonly body: Buffer
  readonly defect: string | undefined
  /** In order; an ack that came after another settlement is noted all the same. */
  readonly settled: ('ack' | 'requeue')[] = []
  live = true

  constructor(
    given: Partial<Pick<Delivery, 'deliveryTag' | 'redelivered' | 'exchange' | 'routingKey' | 'defect'>> & {
      readonly properties?: MessageProperties
      readonly body?: string | Buffer
    } = {},
  ) {
    this.deliveryTag = given.deliveryTag ?? 1
    this.redelivered = given.redelivered ?? false
    this.exchange = given.exchange ?? ''
    this.routingKey = given.routingKey ?? 'commands'
    this.properties = given.properties ?? {}
    this.body = Buffer.from(given.body ?? '{}')
    this.defect = given.defect
  }

  ack(): void {
    this.settled.push('ack')
  }

  requeue(): void {
    this.settled.push('requeue')
  }
}

export interface RecordedLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines. */
export function recordingLog(): Log & { readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = []
  const at =
    (level: LogLevel): Log[LogLevel] =>
    (message, fields = {}) => {
      lines.push({ level, message, fields })
    }
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }
}

export const config: BridgeConfig = {
  daemonId: 'D-1',
  queue: 'commands',
  deadLetterQueue: 'commands.dead',
  script: '/srv/app/worker.php',
  payload: 'form',
  concurrency: 2,
  ack: 'dispatched',
  timeout: 0,
}
