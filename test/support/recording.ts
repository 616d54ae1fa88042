import type { BridgeEvent, Tell } from '../../src/bridge/events.ts'
import { Execution } from '../../src/bridge/execution.ts'
import type {
  BridgePolicy,
  Delivery,
  HeaderField,
  Intake,
  MessageProperties,
  OutgoingMessage,
  Publisher,
} from '../../src/bridge/ports.ts'

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
  readonly receivedAt: number
  live: boolean

  constructor(
    given: Partial<
      Pick<
        Delivery,
        'deliveryTag' | 'redelivered' | 'exchange' | 'routingKey' | 'defect' | 'receivedAt' | 'live'
      >
    > & {
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
    this.receivedAt = given.receivedAt ?? performance.now()
    this.live = given.live ?? true
  }

  /** What a value is in bytes nobody here looks at. */
  headerFields(): readonly HeaderField[] {
    return this.defect === undefined ? (Object.entries(this.properties.headers ?? {}) as HeaderField[]) : []
  }

  ack(): void {
    this.settled.push('ack')
  }

  requeue(): void {
    this.settled.push('requeue')
  }
}

type EventOf<Kind extends BridgeEvent['kind']> = Extract<BridgeEvent, { kind: Kind }>

/** What is told, in its order. */
export class RecordedEvents {
  readonly all: BridgeEvent[] = []
  readonly tell: Tell = (event) => void this.all.push(event)

  of<Kind extends BridgeEvent['kind']>(kind: Kind): readonly EventOf<Kind>[] {
    return this.all.filter((event): event is EventOf<Kind> => event.kind === kind)
  }

  /** Their kinds, but for those that each delivery has on its way. */
  get kinds(): readonly BridgeEvent['kind'][] {
    return this.all.map(({ kind }) => kind).filter((kind) => !ON_THE_WAY.has(kind))
  }
}

const ON_THE_WAY: ReadonlySet<BridgeEvent['kind']> = new Set([
  'delivered',
  'started',
  'sent',
  'answered',
  'failed',
])

export function recordingEvents(): RecordedEvents {
  return new RecordedEvents()
}

/** For whom it does not matter what is told. */
export const tellNobody: Tell = () => {}

/** A copy's properties with its headers among them, as they would come back. */
export function propertiesOf({
  properties,
  headers,
}: Pick<OutgoingMessage, 'properties' | 'headers'>): MessageProperties & {
  headers: Record<string, unknown>
} {
  return { ...properties, headers: Object.fromEntries(headers) }
}

/** A publisher that fails a number of times before it takes what it gets. */
export class FailingPublisher implements Publisher {
  readonly tried: OutgoingMessage[] = []
  readonly #failures: number

  constructor(failures = 0) {
    this.#failures = failures
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.tried.push(message)
    if (this.tried.length <= this.#failures) throw new Error(`failure ${this.tried.length}`)
  }
}

/** An intake that notes what it is asked for. */
export class RecordingIntake implements Intake {
  readonly asked: ('pause' | 'resume' | 'widen')[] = []

  async pause(): Promise<void> {
    this.asked.push('pause')
  }

  resume(): void {
    this.asked.push('resume')
  }

  widen(): void {
    this.asked.push('widen')
  }
}

export const config: BridgePolicy = {
  name: 'commands',
  daemonId: 'D-1',
  queue: 'commands',
  deadLetterQueue: 'commands.dead',
  replyAllow: undefined,
  script: '/srv/app/worker.php',
  payload: 'form',
  concurrency: 2,
  prefetch: 3,
  ack: 'dispatched',
  timeout: 0,
  consumerTimeout: 0,
  maxAttempts: 5,
  retryDelay: 1_000,
  retryMaxDelay: 600_000,
  requireMarker: false,
  maxBody: 128 * 1024 * 1024,
  maxBytesInFlight: 256 * 1024 * 1024,
}

/** A delivery that waits to be executed. */
export function executionOf(delivery: Delivery, policy: BridgePolicy = config): Execution {
  return new Execution(delivery, policy)
}
