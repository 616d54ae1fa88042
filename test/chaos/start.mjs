// npm run chaos: sees that the npm packages are there, then runs the suite, which is TypeScript, in this process.

import { exitUnprepared, prepareNode } from '../support/prepare.mjs'

await prepareNode().catch(exitUnprepared)
const { tsImport } = await import('tsx/esm/api')
await tsImport('./main.ts', import.meta.url)
