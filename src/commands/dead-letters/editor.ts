import { spawn } from 'node:child_process'

/** Where nobody says which one. */
const USUAL = 'vi'

/** @returns why it has failed; undefined where it has not */
export function runEditor(file: string): Promise<string | undefined> {
  const chosen = process.env['VISUAL'] || process.env['EDITOR']
  // It would wait for keys that nobody can press.
  if (!chosen && !process.stdin.isTTY)
    return Promise.resolve(`there is no terminal for ${USUAL}: name another editor in VISUAL or EDITOR`)
  const editor = chosen || USUAL
  return new Promise((resolve) => {
    // As git does it: the variable may have arguments in it.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    child.once('error', (error) => resolve(`the editor cannot be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined)
      else
        resolve(
          `the editor (${editor}) has ended with ${signal ?? `code ${code}`}; VISUAL or EDITOR names another one`,
        )
    })
  })
}
