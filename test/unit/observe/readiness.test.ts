import { expect, it } from 'vitest'
import { obstructionsOf } from '../../../src/observe/readiness.ts'
import type { BridgeView, ProcessView } from '../../../src/observe/views.ts'
import { bridgeView, poolView, processView } from '../../support/views.ts'

const NOT_CONSUMING = [{ bridge: 'commands', reason: 'not consuming' }]

it.each<[string, Partial<BridgeView>[], readonly unknown[]]>([
  ['consumes', [{}], []],
  ['is paused', [{ sessionUp: false, resting: true }], []],
  ['has no session', [{ sessionUp: false }], NOT_CONSUMING],
  ['has just been started', [{ state: 'starting' }], NOT_CONSUMING],
  ['starts in place of one that consumes', [{}, { state: 'starting', sessionUp: false }], []],
  [
    'starts in place of one that does not',
    [{ sessionUp: false }, { state: 'starting' }],
    [...NOT_CONSUMING, ...NOT_CONSUMING],
  ],
  ['ends beside its successor', [{ state: 'draining', sessionUp: false }, {}], []],
  ['ends, since its queue is to have none any more', [{ state: 'draining', sessionUp: false }], []],
  ['is held by its application', [{ hold: { reason: 'does not start', since: 0 } }], []],
])('a bridge that %s', async (_, bridges, reasons) => {
  expect(await obstructionsOf(processView({ bridges: bridges.map(bridgeView) }))).toEqual(reasons)
})

it.each<[string, Partial<ProcessView>, readonly unknown[]]>([
  ['drains', { draining: true }, [{ reason: 'draining' }]],
  [
    'has lost a pool',
    { pools: [poolView({ kind: 'unknown' }), poolView({ kind: 'unknown' }, 'ENOENT')] },
    [{ pool: '/run/fpm.sock', reason: 'ENOENT' }],
  ],
])('a process that %s', async (_, view, reasons) => {
  expect(await obstructionsOf(processView(view))).toEqual(reasons)
})
