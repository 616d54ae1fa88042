import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './run-folder.ts'

/** A pipe with a name, for whose reader we stand. */
export interface NamedPipe {
  readonly path: string
  /** Takes what is in it: a pipe holds 64 KiB. */
  read(): string
  close(): void
}

/** It is open on both sides, so that whoever writes to it neither waits for a reader nor loses it. */
export function namedPipe(): NamedPipe {
  const path = join(temporaryFolder('pipe'), 'pipe')
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  return {
    path,
    read() {
      const chunks: Buffer[] = []
      try {
        for (;;) {
          const chunk = Buffer.alloc(65_536)
          chunks.push(chunk.subarray(0, readSync(fd, chunk)))
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
      return Buffer.concat(chunks).toString()
    },
    close: () => closeSync(fd),
  }
}
