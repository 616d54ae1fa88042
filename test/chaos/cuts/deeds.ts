import { setTimeout as sleep } from 'node:timers/promises'
import type { Lane } from './lane.ts'
import type { Deed } from './points.ts'

/** Makes the world whole again, as far as that is ours to do. */
export type Restore = () => Promise<void>

const NOTHING: Restore = async () => {}

/** Resolves when it is done. */
export const STRIKES: Readonly<Record<Deed, (lane: Lane) => Promise<Restore>>> = {
  async 'daemon killed'(lane) {
    await lane.stand.daemon.kill()
    return () => lane.startDaemon()
  },

  async 'link reset'(lane) {
    lane.resetLink()
    return NOTHING
  },

  async 'pool killed'({ stand }) {
    await stand.endPool((pool) => pool.kill())
    return () => stand.pool.start()
  },

  /** The children learn of it while they are still held back, if they are. */
  async 'pool reloaded'({ stand: { pool } }) {
    const ready = pool.reload()
    await sleep(100)
    return () => ready
  },

  async 'daemon and pool killed'(lane) {
    const { stand } = lane
    await stand.endPool(async (pool) => {
      await Promise.all([stand.daemon.kill(), pool.kill()])
    })
    return async () => {
      await stand.pool.start()
      await lane.startDaemon()
    }
  },

  async 'pool link cut'(lane) {
    lane.resetPoolLink()
    return NOTHING
  },
}
