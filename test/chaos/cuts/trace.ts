import type { Passing } from '../../support/tapped-link.ts'

/** What a unit on the link to the broker does with the message. */
export type Step = 'delivered' | 'copy published' | 'confirmed' | 'acked'

interface Place {
  readonly connection: number
  readonly channel: number
  readonly deliveryTag: number
}

/** Follows one message over a link, by its id and the tags that it is given. */
export class Trace {
  readonly #id: string
  #delivery: Place | undefined
  #copy: Place | undefined

  /** @param id part of its body or properties, and of no other message's */
  constructor(id: string) {
    this.#id = id
  }

  /** Undefined: the unit is not about this message. */
  see({ unit, from, connection }: Passing): Step | undefined {
    const { name, channel, deliveryTag } = unit
    const place = { connection, channel, deliveryTag }
    if (name === 'deliver' && unit.bytes.includes(this.#id)) {
      this.#delivery = place
      return 'delivered'
    }
    if (name === 'publish' && unit.bytes.includes(this.#id)) {
      this.#copy = place
      return 'copy published'
    }
    if (name !== 'ack') return undefined
    if (from === 'broker') return covers(place, unit.multiple, this.#copy) ? 'confirmed' : undefined
    return covers(place, unit.multiple, this.#delivery) ? 'acked' : undefined
  }
}

function covers(ack: Place, multiple: boolean, place: Place | undefined): boolean {
  if (place?.connection !== ack.connection || place.channel !== ack.channel) return false
  return multiple ? place.deliveryTag <= ack.deliveryTag : place.deliveryTag === ack.deliveryTag
}
