import type { FastCgiClient } from '../fastcgi/types.ts'
import { Adoption } from './adoption.ts'
import { Backlog } from './backlog.ts'
import { Conclusion } from './conclusion.ts'
import { ControlMessages } from './control-messages.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Tell } from './events.ts'
import { BytesInFlight } from './gates/bytes-in-flight.ts'
import type { Gate } from './gates/gate.ts'
import { Hold } from './gates/hold.ts'
import { HoldProbe } from './gates/hold-probe.ts'
import { Pause } from './gates/pause.ts'
import { ClientRoom } from './gates/room.ts'
import { Slots } from './gates/slots.ts'
import { IntakeReasons } from './intake-reasons.ts'
import { Patience } from './patience.ts'
import type { BridgePolicy, ControlDesk, Intake, Publisher, ReplyPublisher } from './ports.ts'
import { Replies } from './replies.ts'
import { type AdoptElsewhere, Returns } from './returns.ts'
import { Runner } from './runner.ts'
import { Settlement } from './settlement.ts'
import { StaleWatch } from './stale-watch.ts'

/** What a bridge has outside. */
export interface DomainParts {
  readonly client: FastCgiClient
  readonly publisher: Publisher
  /** Apart from copies: a reply that the broker does not take cuts off none of them. */
  readonly replyPublisher?: ReplyPublisher | undefined
  readonly intake: Intake
  /** Where messages go that are for the daemon, and no script; without it there are none. */
  readonly control?: ControlDesk | undefined
  readonly tell: Tell
  /** Asked of what is delivered again; without it, nobody else executes messages of this queue here. */
  readonly adoptElsewhere?: AdoptElsewhere | undefined
  /** Aborted when the bridge is given up: what is not settled by then stays with the broker. */
  readonly signal: AbortSignal
}

/** The domain of one bridge: between where deliveries come from, and where requests and copies go. */
export class Domain {
  readonly dispatcher: Dispatcher
  readonly slots: Slots
  /** Those that wait for their turn. */
  readonly backlog: Pick<Backlog, 'size'>
  /** Those that are executed. */
  readonly executions: Pick<Adoption, 'running' | 'adopt'>
  readonly hold: Pick<Hold, 'obstacle' | 'since'>
  readonly pause: Pause
  readonly #patience: Patience
  readonly #settlement: Settlement
  readonly #probe: HoldProbe
  readonly #hold: Hold
  readonly #replies: Replies | undefined

  /** @param gates further ones, asked after its own */
  constructor(
    policy: BridgePolicy,
    { client, publisher, replyPublisher, intake, control, tell, adoptElsewhere, signal }: DomainParts,
    gates: readonly Gate[] = [],
  ) {
    const intakes = new IntakeReasons(intake, tell)
    const heldIntake = intakes.for('hold')
    this.pause = new Pause(intakes.for('told'), tell)
    this.slots = new Slots(policy, client.room?.perSlot)
    this.#patience = new Patience(policy, tell)
    const backlog = new Backlog(this.#patience)
    this.backlog = backlog
    const adoption = new Adoption(policy, tell)
    this.executions = adoption
    this.#settlement = new Settlement(policy, publisher, intake, signal, tell)
    if (policy.replyAllow !== undefined && replyPublisher !== undefined)
      this.#replies = new Replies(policy.replyAllow, policy, replyPublisher, tell)
    this.#probe = new HoldProbe(client, heldIntake, this.slots, this.pause, backlog, (execution) =>
      this.dispatcher.run(execution),
    )
    this.#hold = new Hold(tell, (obstacle) => this.#probe.probe(obstacle), heldIntake)
    this.hold = this.#hold
    this.dispatcher = new Dispatcher(
      policy,
      {
        backlog,
        slots: this.slots,
        pause: this.pause,
        gates: [this.pause, this.slots, this.#hold, new BytesInFlight(policy), ...roomOf(client), ...gates],
        returns: new Returns(
          adoption,
          this.#settlement,
          (execution) => this.dispatcher.admit(execution),
          adoptElsewhere,
        ),
        adoption,
        control:
          control && replyPublisher
            ? new ControlMessages(control, replyPublisher, this.#settlement, this.slots, tell)
            : undefined,
        runner: new Runner(policy, client, tell),
        conclusion: new Conclusion(backlog, this.#hold, this.slots, this.#settlement, this.#replies, tell),
        settlement: this.#settlement,
        staleWatch: new StaleWatch(backlog, this.#hold, heldIntake),
      },
      tell,
    )
  }

  /** Finds out whether there is a pool, and holds if not, before the first delivery has to. */
  async probe(): Promise<void> {
    const obstacle = await this.#probe.connect()
    if (obstacle !== undefined) this.#hold.enter(obstacle)
  }

  /** Hands back what has not started; resolves when nothing is in flight, and no reply on its way. Idempotent. */
  async drain(): Promise<void> {
    await this.dispatcher.drain()
    await this.#replies?.idle()
  }

  /** The broker has ended a session since a delivery was unacked for so many milliseconds. */
  shorten(consumerTimeout: number): void {
    this.#patience.shorten(consumerTimeout)
    this.#settlement.shorten(consumerTimeout)
  }
}

function roomOf({ room }: FastCgiClient): readonly Gate[] {
  return room === undefined ? [] : [new ClientRoom(room)]
}
