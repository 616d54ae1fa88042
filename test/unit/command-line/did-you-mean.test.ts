import { expect, it } from 'vitest'
import { editDistance, whatWasMeant } from '../../../src/command-line/did-you-mean.ts'

it.each([
  ['queue', 'queue', 0],
  ['quue', 'queue', 1],
  ['queuee', 'queue', 1],
  ['qeuue', 'queue', 1],
  ['qaeae', 'queue', 2],
  ['', 'ack', 3],
  ['ack', '', 3],
  ['ca', 'abc', 3],
])('from %j to %j: %i', (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance)
})

const KNOWN = ['ack', 'queue', 'queue-type', 'socket', 'concurrency', 'dead-letter-queue', 'url']

it.each([
  ['qeue', 'queue'],
  ['QUEUE', 'queue'],
  ['queue_type', 'queue-type'],
  ['dead-leter-qeue', 'dead-letter-queue'],
  ['ulr', 'url'],
  ['akc', 'ack'],
  ['frobnicate', undefined],
  ['', undefined],
  ['x', undefined],
  ['tls', undefined],
  ['concurrency'.repeat(10_000), undefined],
])('%s may mean %s', (word, meant) => {
  expect(whatWasMeant(word, KNOWN)).toBe(meant)
})
