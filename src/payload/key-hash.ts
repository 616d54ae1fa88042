/** Rounds after the last word (the 3 of HalfSipHash-1-3). */
const LAST_ROUNDS = 3

/** The key of the hash, which no publisher knows. */
const [K0 = 0, K1 = 0] = crypto.getRandomValues(new Int32Array(2))

/**
 * HalfSipHash-1-3 (https://github.com/veorq/SipHash), as Linux uses it for hash tables. A publisher cannot choose keys that
 * collide; the keys of a Map of Node.js before 20.20 can be chosen so, as multiples of 65,536.
 *
 * @returns 32 bits, as a signed integer
 */
export function keyHash(bytes: Uint8Array, from: number, to: number): number {
  let [v0, v1, v2, v3] = [K0, K1, K0 ^ 0x6c796765, K1 ^ 0x74656462]
  const words = (to - from) >>> 2
  for (let index = 0; index <= words + LAST_ROUNDS; index += 1) {
    const at = from + 4 * index
    let word = 0
    if (index < words) {
      const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
      word = low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
    } else if (index === words) {
      word = (to - from) << 24
      for (let rest = at; rest < to; rest += 1) word |= (bytes[rest] as number) << (8 * (rest - at))
    } else if (index === words + 1) v2 ^= 0xff
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return v1 ^ v3
}
