import type { FleetView, Question, SlotView } from '../observe/fleet-views.ts'
import { addUp, type TotalsByQueue } from '../observe/totals.ts'
import type { PoolView } from '../observe/views.ts'
import type { ChildExit, StartChild } from './child.ts'
import { FleetMember } from './fleet-member.ts'
import type { FromChild, Said } from './fleet-messages.ts'
import type { ProcessRecord } from './process-record.ts'
import { type ReducedRecord, reducedRecord } from './reduced-record.ts'

/** So many records are kept. */
const RECORDS = 100

interface Place {
  starts: number
  lostAt: number | undefined
  /** The youngest first. */
  processes: readonly FleetMember[]
}

export interface FleetIdentity {
  readonly daemonId: string
  readonly version: string
  /** The daemon ids of the processes. */
  readonly ids: readonly string[]
}

/**
 * Hears what the processes of a fleet say of themselves, beside the supervisor, which has no part in it. What one had counted stays
 * when it has ended.
 */
export class FleetWatch implements FleetView {
  readonly daemonId: string
  readonly version: string
  #draining = false
  readonly #places: ReadonlyMap<string, Place>
  readonly #pools: () => readonly PoolView[]
  /** Those that may still say something, though they may have ended. */
  readonly #heard = new Set<FleetMember>()
  #past: TotalsByQueue = {}
  readonly #records: (ProcessRecord | ReducedRecord)[] = []

  /** @param pools of the configuration as it is at the moment */
  constructor({ daemonId, version, ids }: FleetIdentity, pools: () => readonly PoolView[]) {
    this.daemonId = daemonId
    this.version = version
    this.#places = new Map(ids.map((id) => [id, { starts: 0, lostAt: undefined, processes: [] }]))
    this.#pools = pools
  }

  get draining(): boolean {
    return this.#draining
  }

  get slots(): readonly SlotView[] {
    return [...this.#places].map(([id, place]) => ({ id, ...place }))
  }

  get totals(): TotalsByQueue {
    return [...this.#heard].reduce(
      (sum, { report }) => (report === undefined ? sum : addUp(sum, report.totals)),
      this.#past,
    )
  }

  get pools(): readonly PoolView[] {
    return this.#pools()
  }

  get records(): readonly object[] {
    return this.#records
  }

  async ask(question: Question, within: number): Promise<void> {
    const all = [...this.#places.values()].flatMap(({ processes }) => processes)
    await Promise.all(all.map((member) => member.ask(question, within)))
  }

  /** What ends from now on is not replaced. */
  drain(): void {
    this.#draining = true
  }

  /** @returns what starts processes as `start` does, and has them heard */
  watching(start: StartChild): StartChild {
    return (id, listener) => {
      let member: FleetMember | undefined
      const child = start(id, {
        told: (message) => {
          if (member !== undefined) this.#hear(member, message)
          listener.told(message)
        },
        ended: (exit) => {
          if (member !== undefined) this.#end(id, member, exit)
          listener.ended(exit)
        },
        silent: () => {
          if (member !== undefined) this.#bury(member)
          listener.silent?.()
        },
      })
      member = this.#add(id, new FleetMember(child))
      return child
    }
  }

  #add(id: string, member: FleetMember): FleetMember {
    const place = this.#placeOf(id)
    place.starts += 1
    place.processes = [member, ...place.processes]
    this.#heard.add(member)
    return member
  }

  #hear(member: FleetMember, message: FromChild): void {
    if (message.kind === 'consumes') member.hasConsumed = true
    else if (isSaid(message)) member.hear(message)
  }

  #end(id: string, member: FleetMember, exit: ChildExit): void {
    const place = this.#placeOf(id)
    place.processes = place.processes.filter((each) => each !== member)
    if (member.hasConsumed) place.lostAt = performance.now()
    member.end()
    member.ended = { id, exit, time: new Date() }
    // One that could not be started has no channel that could close.
    if (member.pid === undefined) this.#bury(member)
  }

  /** It has nothing more to say. */
  #bury(member: FleetMember): void {
    if (!this.#heard.delete(member)) return
    if (member.report !== undefined) this.#past = addUp(this.#past, member.report.totals)
    const record = member.record ?? reducedRecord(member)
    if (record === undefined) return
    this.#records.unshift(record)
    this.#records.length = Math.min(this.#records.length, RECORDS)
  }

  #placeOf(id: string): Place {
    const place = this.#places.get(id)
    if (place === undefined) throw new Error(`no place ${id}`)
    return place
  }
}

function isSaid(message: FromChild): message is Said {
  return message.kind === 'report' || message.kind === 'record'
}
