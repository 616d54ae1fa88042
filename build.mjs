// npm run build: src becomes the program in dist, in some forty files instead of three hundred. Node.js looks for, reads and compiles
// each file by itself, which is much of what a start takes. Packages stay outside, all but two: see docs/decisions/0025.

import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const root = fileURLToPath(new URL('.', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const outside = Object.keys(dependencies).filter((name) => name !== 'yargs' && name !== 'winston')

/**
 * What packages do as they are loaded, and nobody here asks for.
 *
 * - yargs lays out --help with the help of string-width, which compiles patterns of all emoji. In our help each character is one column wide.
 * - winston has lines for those who debug it, and computes their colors. It colors levels that we do not have, and has transports that we
 *   do not use. It brings its own streams for versions of Node.js that have others.
 */
const REPLACED = [
  { file: /[/\\]string-width[/\\]index\.js$/, by: 'export default (text) => [...text].length' },
  { file: /[/\\]@dabh[/\\]diagnostics[/\\]node[/\\]index\.js$/, by: 'module.exports = () => () => {}' },
  { file: /[/\\]logform[/\\]levels\.js$/, by: 'module.exports = (config) => config' },
  { file: /[/\\]winston[/\\]transports[/\\](file|http|console)\.js$/, by: 'module.exports = undefined' },
  { file: /[/\\]readable-stream[/\\]readable\.js$/, by: "module.exports = require('node:stream')" },
  {
    file: /[/\\]readable-stream[/\\]lib[/\\]_stream_writable\.js$/,
    by: "module.exports = require('node:stream').Writable",
  },
]

/** @type {import('rolldown').Plugin} */
const replaced = {
  name: 'replaced',
  load: (id) => REPLACED.find(({ file }) => file.test(id))?.by,
}

/** What the program imports before it listens to signals, and loads all else. */
const first = [
  ...readFileSync(join(root, 'src/main.ts'), 'utf8').matchAll(/^import .* from '(\..+)'$/gm),
].map(([, path = '']) => join(root, 'src', path))

const { output } = await build({
  cwd: root,
  input: 'src/main.ts',
  platform: 'node',
  external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [replaced],
  transform: { target: 'node20.19' },
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    // What is imported at need stays in files of its own. What is there first is one of them, what each command needs another, and
    // what `run` needs beside that.
    chunkFileNames: 'parts/[name]-[hash].js',
    codeSplitting: {
      groups: [
        { name: 'first', test: (id) => first.includes(id), priority: 3 },
        { name: 'cli', test: /[/\\]commands[/\\]execute\.ts$/, priority: 2 },
        { name: 'run', test: /[/\\]commands[/\\](start|run)\.ts$/, priority: 1 },
      ],
      includeDependenciesRecursively: true,
    },
  },
})
chmodSync(join(root, 'dist/main.js'), 0o755)

// What an earlier build has left, and not before: daemons may be starting from it.
const written = new Set(output.map(({ fileName }) => join(root, 'dist', fileName)))
for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !written.has(path)) rmSync(path)
}
