import { escapeInvisible } from './invisible.ts'
import type { BridgeView, ProcessView } from './views.ts'

/** How a process does, for the one line that `systemctl status` shows. */
export interface ServiceStatus {
  /** Worth telling at once when it changes. */
  readonly state: string
  /** Changes all the time; may be empty. */
  readonly numbers: string
}

/** Names of queues in a row; of more, the number. */
const NAMES = 3

/** Characters of a reason. */
const REASON = 120

/** What a bridge may be at, what is out of order first. */
const STATES: readonly (readonly [title: string, holds: (bridge: BridgeView) => boolean])[] = [
  ['Held', ({ hold }) => hold !== undefined],
  ['Paused', ({ pauses }) => pauses.length > 0],
  ['Without a broker', ({ state, sessionUp }) => state === 'starting' || !sessionUp],
  ['Consuming', () => true],
]

export function serviceStatus({ draining, bridges }: ProcessView): ServiceStatus {
  const inFlight = bridges.reduce((sum, bridge) => sum + bridge.inFlight, 0)
  const waiting = bridges.reduce((sum, bridge) => sum + bridge.waiting, 0)
  const numbers = `${inFlight} in flight, ${waiting} waiting`
  if (draining) return { state: 'Draining', numbers }
  const byTitle = new Map<string, BridgeView[]>(STATES.map(([title]) => [title, []]))
  for (const bridge of wantedOf(bridges)) {
    const [title] = STATES.find(([, holds]) => holds(bridge)) ?? []
    byTitle.get(title ?? '')?.push(bridge)
  }
  const parts = [...byTitle]
    .filter(([, those]) => those.length > 0)
    .map(([title, those]) => `${title}: ${namesOf(those)}${reasonOf(title, those)}`)
  // A line break would begin another assignment of sd_notify(3).
  return { state: escapeInvisible(parts.join('. ') || 'No queues'), numbers }
}

/** One that takes the place of another may still start. */
function wantedOf(bridges: readonly BridgeView[]): readonly BridgeView[] {
  const byQueue = new Map<string, BridgeView>()
  for (const bridge of bridges)
    if (bridge.state !== 'draining' && byQueue.get(bridge.queue)?.sessionUp !== true)
      byQueue.set(bridge.queue, bridge)
  return [...byQueue.values()]
}

function namesOf(bridges: readonly BridgeView[]): string {
  const names = bridges.map(({ queue }) => queue)
  return names.length > NAMES ? `${names.length} queues` : names.join(', ')
}

function reasonOf(title: string, [first, ...others]: readonly BridgeView[]): string {
  const reason = first?.hold?.reason
  return title !== 'Held' || reason === undefined || others.length > 0 ? '' : ` (${reason.slice(0, REASON)})`
}
