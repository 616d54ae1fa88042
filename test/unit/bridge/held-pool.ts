import { Hold, type Obstacle } from '../../../src/bridge/gates/hold.ts'
import { RecordingIntake, recordingEvents } from '../../support/recording.ts'

export const obstacle = (reason: string, probe: Obstacle['probe'] = 'connect'): Obstacle => ({
  reason,
  probe,
})

/** A hold that is over when `pool.obstacle` is undefined. */
export function heldPool() {
  const events = recordingEvents()
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
  const intake = new RecordingIntake()
  const hold = new Hold(events.tell, probe, intake)
  hold.open(() => {
    pool.left += 1
  })
  return { events, pool, hold, intake }
}
