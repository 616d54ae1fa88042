import { describe, expect, it } from 'vitest'
import { keysIn } from '../../../../src/commands/top/keys.ts'
import { press, rowsIn, selectionIn, type TopState } from '../../../../src/commands/top/view-state.ts'
import { bridgeReport, daemonReport, lookAt, sightOf } from '../../../support/fleet-looks.ts'

const PAGE = 3

/** Rows: bills, its D-1, mails, its D-1. */
function stateOf(given: Partial<TopState> = {}): TopState {
  const bridges = [bridgeReport(), bridgeReport({ queue: 'bills', state: 'paused' })]
  const sight = sightOf(lookAt([daemonReport('D-1', bridges)]))
  const calm = { trouble: undefined, selected: undefined, asking: undefined, notice: undefined }
  return { source: 'broker', canAct: true, sight, ...calm, ...given }
}

/** Where the selection is, and what the last key asks for. */
function pressed(typed: string, first = stateOf()) {
  let [state, wish]: ReturnType<typeof press> = [first, { kind: 'nothing' }]
  for (const key of keysIn(typed)) [state, wish] = press(state, key, PAGE)
  return { state, wish, at: selectionIn(state, rowsIn(state)) }
}

describe('keys', () => {
  it('come several at once, and in sequences', () => {
    expect(keysIn('\u001b[Aj\u001bOB\u001b[5~q\u0003x\u001b[3~')).toEqual([
      'up',
      'down',
      'down',
      'page-up',
      'quit',
      'quit',
      'no',
      'no',
    ])
  })

  it('move the selection, and not beyond the rows', () => {
    expect(['', 'j', 'jj', 'kk', 'jjjjjj', ' ', ' k', 'G', 'Gg'].map((typed) => pressed(typed).at)).toEqual([
      0, 1, 2, 0, 3, 3, 2, 3, 0,
    ])
  })

  it('keep the selection on its row when others come and go', () => {
    const { state } = pressed('jj')
    const more = daemonReport('D-0', [bridgeReport({ queue: 'a' })])
    const [row] = rowsIn(state).slice(2)
    const later = { ...state, sight: sightOf(lookAt([more, ...(state.sight?.daemons ?? [])])) }
    expect(rowsIn(later)[selectionIn(later, rowsIn(later))]?.key).toBe(row?.key)
    const gone = { ...state, sight: sightOf(lookAt([more])) }
    expect(selectionIn(gone, rowsIn(gone))).toBe(0)
  })

  it('pause a queue after a yes, and after no other answer', () => {
    expect(pressed('jjjp')).toMatchObject({ state: { asking: 'mails' }, wish: { kind: 'nothing' } })
    expect(pressed('jjjpy')).toMatchObject({
      state: { asking: undefined },
      wish: { kind: 'pause', queue: 'mails' },
    })
    for (const answer of ['n', 'p', 'x', '\u001b[A', '\r'])
      expect(pressed(`jjjp${answer}`)).toMatchObject({
        state: { asking: undefined },
        wish: { kind: 'nothing' },
        at: 3,
      })
  })

  it('resume what is paused', () => {
    expect(pressed('jr').wish).toEqual({ kind: 'resume', queue: 'bills' })
    expect(pressed('jjr')).toMatchObject({
      wish: { kind: 'nothing' },
      state: { notice: 'mails is neither paused nor drained' },
    })
  })

  it('tell nothing where there is no broker to tell it, or nobody to be told', () => {
    const admin = stateOf({ canAct: false })
    for (const key of ['p', 'r'])
      expect(pressed(key, admin)).toMatchObject({
        wish: { kind: 'nothing' },
        state: { notice: expect.stringContaining('--admin') },
      })
    expect(pressed('pryjG', stateOf({ sight: undefined }))).toMatchObject({
      wish: { kind: 'nothing' },
      at: -1,
    })
  })

  it('quit and suspend, also in place of an answer', () => {
    expect([pressed('q'), pressed('pq'), pressed('\u001a')].map(({ wish }) => wish.kind)).toEqual([
      'quit',
      'quit',
      'suspend',
    ])
  })
})
