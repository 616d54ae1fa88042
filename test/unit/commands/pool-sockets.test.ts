import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { refuseNonSockets } from '../../../src/commands/pool-sockets.ts'
import type { BridgeConfig } from '../../../src/config/bridge-config.ts'
import { OptionError } from '../../../src/config/option-error.ts'
import { temporaryFolder } from '../../support/run-folder.ts'

const folder = temporaryFolder('sockets')
const [file, directory] = [join(folder, 'file'), join(folder, 'directory')]
writeFileSync(file, '')
mkdirSync(directory)

const bridge = (name: string, path: string, listed: boolean) =>
  ({ name, listed, pool: { kind: 'unix', path } }) as BridgeConfig

const complaintsOf = async (...bridges: BridgeConfig[]) => {
  const error: unknown = await refuseNonSockets(bridges).catch((thrown: unknown) => thrown)
  return error instanceof OptionError ? error.complaints : error
}

it('tells all that are none, by the names of their bridges', async () => {
  expect(
    await complaintsOf(
      bridge('mails', file, true),
      bridge('missing', join(folder, 'missing'), true),
      bridge('invoices', directory, true),
    ),
  ).toEqual([
    `--socket ${file} of bridge "mails" is a file and no socket; it must be the \`listen\` of the pool`,
    `--socket ${directory} of bridge "invoices" is a directory and no socket; it must be the \`listen\` of the pool`,
  ])
})

it('needs no name where there is one bridge', async () => {
  expect(await complaintsOf(bridge('commands', file, false))).toEqual([
    `--socket ${file} is a file and no socket; it must be the \`listen\` of the pool`,
  ])
})

it('waits for one that is missing', async () => {
  expect(await complaintsOf(bridge('commands', join(folder, 'missing'), false))).toBeUndefined()
})
