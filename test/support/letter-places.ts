import { BrokerList } from '../../src/amqp/broker-list.ts'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { type Place, placeOf } from '../../src/operate/dead-letters/place.ts'
import { test as base } from './fixtures.ts'

/** With places of dead letters. Their publishers are closed at the end. */
export const test = base.extend<{ at: (queue: string) => Place }>({
  at: async ({ broker }, use) => {
    const places: Place[] = []
    await use((queue) => {
      const tell = () => {}
      const place = placeOf(new BrokerList([parseBrokerUrl(broker.url)], tell), queue, undefined, tell)
      places.push(place)
      return place
    })
    for (const { publisher } of places) await publisher.close()
  },
})

/** A selection of all letters. */
export const ANY = { words: [], reason: undefined, since: undefined, until: undefined }
/** Whoever replays, and listens to nothing. */
export const QUIET = { onDepart: async () => true, onRefused: () => {} }
