import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal, parseJournalLine } from '../../chaos/journal.ts'

const LINE = 'start M-7 e-1 D-2-1 4711 2 1700000000123.456'

describe('a line of the journal', () => {
  it('says who executed what, and when', () => {
    expect(parseJournalLine(LINE)).toEqual({
      event: 'start',
      id: 'M-7',
      executionId: 'e-1',
      daemonId: 'D-2-1',
      pid: 4711,
      attempt: 2,
      time: 1_700_000_000_123.456,
    })
  })

  it.each(['', 'start M-7', LINE.replace('start', 'begun'), `${LINE}done M-8`, LINE.slice(0, 40)])(
    'is not %j: the journal would not be the whole truth',
    (line) => {
      expect(() => parseJournalLine(line)).toThrow(/Not a line of the worker/)
    },
  )
})

describe('the journal', () => {
  let folder = ''
  let path = ''
  let journal: Journal
  const write = (event: string, id: string, time: number) =>
    appendFileSync(path, `${event} ${id} e-${id} D-1-1 1 1 ${time}.0\n`)

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-journal-'))
    path = join(folder, 'journal')
    journal = new Journal(path)
  })
  afterEach(() => {
    journal.close()
    rmSync(folder, { recursive: true })
  })

  it('follows what is appended, and waits for the rest of a line', () => {
    expect(journal.read()).toEqual([])
    appendFileSync(path, `${LINE}\n${LINE.slice(0, 20)}`)
    expect(journal.read()).toHaveLength(1)
    appendFileSync(path, `${LINE.slice(20)}\n`)
    expect(journal.read()).toHaveLength(2)
  })

  it('knows what runs', () => {
    write('start', 'M-1', 1_000)
    write('start', 'M-2', 1_001)
    write('failed', 'M-1', 1_002)
    expect(journal.running().map(({ id }) => id)).toEqual(['M-2'])
  })

  it('finds what is recent, a little disorder included', () => {
    for (const time of [1_000, 9_000, 10_001, 9_999, 10_002]) write('start', `M-${time}`, time)
    expect(journal.since(10_000).map(({ time }) => time)).toEqual([10_001, 10_002])
    expect(journal.since(0)).toHaveLength(5)
    expect(journal.since(20_000)).toEqual([])
  })
})
