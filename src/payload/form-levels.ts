import { FormBytes } from './form-bytes.ts'
import { Members, NONE } from './form-members.ts'
import { OpenObject } from './open-object.ts'
import { UnprocessableError } from './unprocessable.ts'

/** json_decode's default depth is 512, and it counts the innermost value as a level. */
const MAX_DEPTH = 511

/** Bytes of keys that there is room for without asking for more. */
const ROOM = 4 * 1024

/** What a level has in the place of the number of an element: it is an object, or outside of everything. */
export const IN_OBJECT = -1
export const OUTSIDE = -2

const ascii = (character: string): number => character.charCodeAt(0)
const [AMPERSAND, EQUALS] = [ascii('&'), ascii('=')]
const [BRACKET, BRACKET_END] = [ascii('['), ascii(']')]

/** The objects and lists that a value is in, and what is known of their members: where in the form they are. */
export class FormLevels {
  readonly #form: FormBytes
  readonly #members = new Members()
  /** The keys, escaped, of all objects that are open. */
  readonly keys = new FormBytes(ROOM, 'the body has keys')
  /** How many objects and lists are open. */
  #depth = 0
  /** Of each level, from 1: where in the keys its own begins and ends. */
  readonly #path = new Int32Array(2 * MAX_DEPTH + 2)
  /** Of each level: the number of the element, or what it is instead. */
  readonly #index = new Int32Array(MAX_DEPTH + 1).fill(OUTSIDE, 0, 1)
  /** Of each level that is an object: the member that has begun. */
  readonly #member = new Int32Array(MAX_DEPTH + 1)
  /** Of each level but the outermost that has once been an object. */
  readonly #objects: OpenObject[] = []

  constructor(form: FormBytes) {
    this.#form = form
  }

  clear(): void {
    this.keys.clear()
    this.#members.clear()
    this.#depth = 0
    this.#index[1] = OUTSIDE
  }

  /** The number of the innermost list's element, or what there is instead. */
  get index(): number {
    return this.#index[this.#depth] as number
  }

  /** The same of the outermost, whether it is open or not. */
  get outermost(): number {
    return this.#index[1] as number
  }

  /** Whether a key came twice, so that the form has to be written anew. */
  get hasDuplicates(): boolean {
    return this.#members.duplicates > 0
  }

  /** Writes the form anew, with the last value of each key in the place of the first; yields now and then. */
  *withoutDuplicates(): Generator<void, FormBytes> {
    const form = new FormBytes(this.#form.length, 'the body becomes a form')
    yield* this.#members.apply(this.#form, form)
    return form
  }

  openObject(): void {
    this.#enter(IN_OBJECT)
    this.#object().open()
  }

  /** The outermost one keeps its members, for one more key. */
  closeObject(): void {
    if (this.#depth > 1) this.#object().close()
    this.#depth -= 1
  }

  /** Goes on with the outermost array when everything is read. */
  reopen(): void {
    if (this.outermost === IN_OBJECT) this.#depth = 1
    else this.openObject()
  }

  openList(): void {
    this.#enter(0)
    this.beginKey()
  }

  closeList(): void {
    this.keys.truncate(this.#path[2 * this.#depth] as number)
    this.#depth -= 1
  }

  /** Begins an element of the innermost list. */
  element(index: number): void {
    this.#index[this.#depth] = index
    const level = 2 * this.#depth
    this.keys.truncate(this.#path[level] as number)
    this.keys.putInteger(index)
    this.#path[level + 1] = this.keys.length
  }

  /** To be called before the key of a member is written to the keys. */
  beginKey(): void {
    this.#path[2 * this.#depth] = this.keys.length
  }

  /** To be called when its key is written. */
  beginMember(): void {
    const level = 2 * this.#depth
    const keyFrom = this.#path[level] as number
    const keyTo = this.keys.length
    this.#path[level + 1] = keyTo
    const print = this.keys.print(keyFrom, keyTo)
    this.#member[this.#depth] = this.#members.begin(this.#form.length, keyFrom, keyTo, print)
  }

  /** To be called when its value is written. */
  endMember(): void {
    const member = this.#member[this.#depth] as number
    this.#members.end(member, this.#form.length)
    const first = this.#object().addOrFind(member)
    if (first === NONE) return
    this.#members.replace(first, member)
    this.keys.truncate(this.#path[2 * this.#depth] as number)
  }

  /** Begins a pair of the form: `&outer%5Binner%5D=`. */
  writeName(): void {
    const form = this.#form
    const path = this.#path
    form.put(AMPERSAND)
    for (let level = 1; level <= this.#depth; level += 1) {
      if (level > 1) form.putEscaped(BRACKET)
      form.copy(this.keys, path[2 * level] as number, path[2 * level + 1] as number)
      if (level > 1) form.putEscaped(BRACKET_END)
    }
    form.put(EQUALS)
  }

  #enter(index: number): void {
    if (this.#depth === MAX_DEPTH) {
      throw new UnprocessableError(`the JSON body nests deeper than ${MAX_DEPTH} levels`)
    }
    this.#depth += 1
    this.#index[this.#depth] = index
  }

  #object(): OpenObject {
    const known = this.#objects[this.#depth - 1]
    if (known !== undefined) return known
    const object = new OpenObject(this.#members, this.keys)
    this.#objects[this.#depth - 1] = object
    return object
  }
}
