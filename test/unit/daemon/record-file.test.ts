import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProcessHistory } from '../../../src/daemon/process-record.ts'
import { appendRecord, refuseRecordFile } from '../../../src/daemon/record-file.ts'
import { refusal } from '../../support/given.ts'
import { recordingLog } from '../observe/recording-log.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const record = () => new ProcessHistory('D-1', ['q']).record('SIGTERM')
const linesIn = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

describe('a record file', () => {
  it('gets a line for each, and after a rename begins anew', () => {
    const log = recordingLog()
    const path = join(folder, 'records')
    const [first, second, third] = [record(), record(), record()]
    appendRecord(path, first, log)
    appendRecord(path, second, log)
    renameSync(path, `${path}.1`)
    appendRecord(path, third, log)
    expect(linesIn(`${path}.1`)).toEqual([first, second])
    expect(linesIn(path)).toEqual([third])
    expect(log.lines).toEqual([])
  })

  it.each([
    ['a full disk', () => '/dev/full'],
    ['a pipe that nobody reads', () => join(folder, 'pipe')],
    ['a folder that is gone', () => join(folder, 'gone', 'records')],
  ])('that is %s costs a warning', (_, pathOf) => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const log = recordingLog()
    appendRecord(pathOf(), record(), log)
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { file: pathOf(), reason: expect.any(String) } },
    ])
  })

  it('must have a folder, and be none', () => {
    expect(refusal(() => refuseRecordFile(join(folder, 'gone', 'records')))).toEqual([
      `--record-file ${folder}/gone/records: there is no folder ${folder}/gone; make it`,
      78,
    ])
    expect(refusal(() => refuseRecordFile(folder))[1]).toBe(78)
    expect(refusal(() => refuseRecordFile(join(folder, 'records')))).toEqual(['accepted', 0])
  })
})
