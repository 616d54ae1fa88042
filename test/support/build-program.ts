import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Builds dist, as `npm run build` does after it has checked the types. Ends the process where that fails; rolldown has said why. */
export async function buildProgram(): Promise<void> {
  const building = spawn(process.execPath, ['build.mjs'], { cwd: root, stdio: ['ignore', 2, 2] })
  const [code] = await once(building, 'close')
  if (code !== 0) process.exit(1)
}
