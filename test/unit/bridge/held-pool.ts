import { Hold, type Obstacle } from '../../../src/bridge/hold.ts'
import { recordingLog } from './recording.ts'

export const obstacle = (reason: string, probe: Obstacle['probe'] = 'connect'): Obstacle => ({
  reason,
  probe,
})

/** A hold that is over when `pool.obstacle` is undefined. */
export function heldPool() {
  const log = recordingLog()
  const pool = {
    obstacle: obstacle('ENOENT') as Obstacle | undefined,
    /** With what each probe was told to look. */
    probes: [] as Obstacle[],
    left: 0,
  }
  const probe = async (last: Obstacle): Promise<Obstacle | undefined> => {
    pool.probes.push(last)
    return pool.obstacle
  }
  const hold = new Hold(log, probe, () => {
    pool.left += 1
  })
  return { log, pool, hold }
}
