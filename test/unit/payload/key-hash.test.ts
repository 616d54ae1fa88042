import { describe, expect, it } from 'vitest'
import { keyHash } from '../../../src/payload/key-hash.ts'

const hash = (text: string) => keyHash(Buffer.from(text), 0, Buffer.byteLength(text))

describe('the hash of a key', () => {
  it('is that of its bytes, wherever they are', () => {
    const bytes = Buffer.from('..a key..a key..')
    expect(keyHash(bytes, 2, 7)).toBe(keyHash(bytes, 9, 14))
  })

  it('depends on each byte and on the length', () => {
    const keys = ['', '\0', '\0\0', 'a', 'aa', 'aaaa', 'aaaaa', 'baaaa', 'abaaa', 'aabaa', 'aaaba', 'aaaab']
    expect(new Set(keys.map(hash)).size).toBe(keys.length)
  })

  it('spreads keys that a Map of an older Node.js has collide', () => {
    const places = new Set(Array.from({ length: 4_096 }, (_, index) => hash(String(index * 65_536)) & 0xfff))
    // Of 4,096 random places, 2,589 are expected to be taken.
    expect(places.size).toBeGreaterThan(2_300)
  })
})
