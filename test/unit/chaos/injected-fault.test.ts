import { expect, it } from 'vitest'
import type { FaultKind } from '../../chaos/fault-kinds.ts'
import { afterBroker, blame, type InjectedFault } from '../../chaos/injected-fault.ts'

const fault = (kind: FaultKind, began: number, lifted: number, recovered?: number): InjectedFault => {
  return { number: 1, kind, began, lifted, recovered, slots: [] }
}

it('counts no recovery from before the broker is back', () => {
  const pair = [fault('pool killed', 0, 2_000), fault('broker killed', 500, 7_000)]
  expect(afterBroker(pair).map(({ lifted }) => lifted)).toEqual([7_000, 7_000])
  const others = [fault('pool killed', 0, 2_000), fault('link reset', 500, 500)]
  expect(afterBroker(others)).toEqual(others)
})

it('blames who was there, first who can do it, and nobody when nobody was there', () => {
  const [killed, reset] = [
    fault('pool killed', 10_000, 11_000, 12_000),
    fault('link reset', 10_500, 10_500, 11_000),
  ]
  const canLose = (kind: FaultKind) => kind === 'pool killed'
  expect(blame([killed, reset], 10_600, 10_700, canLose)).toBe(killed)
  expect(blame([killed, reset], 10_600, 10_700, () => false)).toBe(reset)
  expect(blame([killed, reset], 20_000, 20_000, canLose)).toBeUndefined()
})

it('still blames a fault that nothing has recovered from', () => {
  const forEver = fault('pool killed', 10_000, 11_000)
  expect(blame([forEver], 90_000, 90_000, () => true)).toBe(forEver)
})
