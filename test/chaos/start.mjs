// Sees that the npm packages are there, then runs one of these commands, which are TypeScript, in this process.

import { exitUnprepared, prepareNode } from '../support/prepare.mjs'

/** @type {Readonly<Record<string, string>>} */
const COMMANDS = {
  chaos: './main.ts',
  cuts: './cuts/main.ts',
  figures: '../figures/main.ts',
}

const [command = ''] = process.argv.splice(2, 1)
await prepareNode().catch(exitUnprepared)
const { tsImport } = await import('tsx/esm/api')
await tsImport(/** @type {string} */ (COMMANDS[command]), import.meta.url)
