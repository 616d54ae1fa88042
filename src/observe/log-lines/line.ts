import type { BridgeEvent } from '../../bridge/events.ts'
import type { Fields, LogLevel } from '../logger.ts'

type Of<Event, What> = What | ((event: Event) => What)

/** A line of the log. */
export type Line<Event> = readonly [
  level: LogLevel,
  sentence: Of<Event, string>,
  fields: (event: Event) => Fields,
]

/** The line of each of these events: where it depends on the event, a choice; undefined where the log has none. */
export type Lines<Events extends BridgeEvent> = {
  readonly [Kind in Events['kind']]:
    | Line<Extract<Events, { kind: Kind }>>
    | ((event: Extract<Events, { kind: Kind }>) => Line<Extract<Events, { kind: Kind }>>)
    | undefined
}

export const NO_FIELDS = (): Fields => ({})
