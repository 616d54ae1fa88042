import { type FaultKind, kindOf } from './fault-kinds.ts'

/** A fault that was injected, as the reconciliation needs it. Times are milliseconds since the epoch. */
export interface InjectedFault {
  readonly number: number
  readonly kind: FaultKind
  readonly began: number
  readonly lifted: number
  /** Undefined: not within a minute. */
  readonly recovered: number | undefined
  /** Slots of the daemons that it struck. */
  readonly slots: readonly number[]
}

/**
 * Of faults that overlapped: while there is no broker nobody can recover from anything, so no recovery counts from
 * before it is back.
 */
export function afterBroker(faults: readonly InjectedFault[]): InjectedFault[] {
  const back = Math.max(
    0,
    ...faults.filter(({ kind }) => kindOf(kind).side === 'broker').map((one) => one.lifted),
  )
  return faults.map((fault) => ({ ...fault, lifted: Math.max(fault.lifted, back) }))
}

/** Milliseconds that the clocks and log lines of several processes may be apart. */
const SLACK = 1_000

/**
 * The fault that something between two times is put down to: it was in the world meanwhile. Of several, one that can
 * do such a thing at all; of several such, the latest.
 *
 * @param able whether a fault of this kind can
 */
export function blame(
  faults: readonly InjectedFault[],
  from: number,
  to: number,
  able: (kind: FaultKind) => boolean,
): InjectedFault | undefined {
  const present = faults.filter(
    ({ began, recovered }) => began - SLACK <= to && (recovered ?? Number.POSITIVE_INFINITY) + SLACK >= from,
  )
  return present.findLast(({ kind }) => able(kind)) ?? present.at(-1)
}
