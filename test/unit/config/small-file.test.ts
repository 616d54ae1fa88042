import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readSmallFile } from '../../../src/config/small-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-small-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

describe('a small file', () => {
  it('is read, and so is what a symbolic link leads to, as Kubernetes has them', () => {
    const path = file('secret', 'amqp://h\n')
    symlinkSync(path, join(folder, 'link'))
    expect(readSmallFile(join(folder, 'link')).toString()).toBe('amqp://h\n')
  })

  it.each([0, 1, 1024 ** 2])('may have %i bytes', (length) => {
    expect(readSmallFile(file('sized', 'x'.repeat(length)))).toHaveLength(length)
  })

  it('that says it has none is read to its end', () => {
    expect(readSmallFile('/proc/self/status').toString()).toMatch(/^SigCgt/m)
  })

  it.each<[string, () => string, string]>([
    ['of more than 1 MiB', () => file('large', 'x'.repeat(1024 ** 2 + 1)), 'is larger than 1 MiB'],
    ['that is not there', () => join(folder, 'none'), 'does not exist'],
    ['in a file', () => join(file('plain', ''), 'below'), 'cannot be read (ENOTDIR)'],
    ['with a name that is no name', () => join(folder, 'n'.repeat(300)), 'cannot be read (ENAMETOOLONG)'],
    ['that is a folder', () => folder, 'is a directory'],
    ['without an end', () => '/dev/zero', 'is a pipe, a socket or a device'],
    [
      'that is a pipe into which nobody writes',
      () => {
        execFileSync('mkfifo', [join(folder, 'pipe')])
        return join(folder, 'pipe')
      },
      'is a pipe, a socket or a device',
    ],
    [
      'that is a link to itself',
      () => {
        mkdirSync(join(folder, 'loop'))
        symlinkSync('self', join(folder, 'loop/self'))
        return join(folder, 'loop/self')
      },
      'cannot be read (ELOOP)',
    ],
    ['whose name has a NUL', () => 'a\0b', 'cannot be read (ERR_INVALID_ARG_VALUE)'],
  ])('%s is refused', (_, path, message) => {
    expect(() => readSmallFile(path())).toThrow(new Error(message))
  })
})
