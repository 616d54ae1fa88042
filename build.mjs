// npm run build: src becomes the program in dist, in some twenty files instead of two hundred. Node.js looks for, reads and compiles
// each file by itself, which is much of what a start takes. Packages stay outside, all but two: see docs/decisions/0025.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('.', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * yargs lays out --help with the help of string-width, which compiles patterns of all emoji as it is loaded: a quarter of a start. In
 * our help each character is one column wide.
 *
 * @type {import('esbuild').Plugin}
 */
const plainWidths = {
  name: 'plain-widths',
  setup(bundle) {
    bundle.onLoad({ filter: /[/\\]string-width[/\\]index\.js$/ }, () => ({
      contents: 'export default (text) => [...text].length',
    }))
  },
}

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  external: Object.keys(dependencies).filter((name) => name !== 'yargs' && name !== 'winston'),
  plugins: [plainWidths],
  // winston is CommonJS, and requires modules of Node.js, which ES modules cannot.
  banner: {
    js: "import { createRequire as requireAt } from 'node:module'; const require = requireAt(import.meta.url);",
  },
  // What is imported at need stays in a file of its own.
  splitting: true,
  chunkNames: 'parts/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  metafile: true,
})

// What an earlier build has left, and not before: daemons may be starting from it.
const written = new Set(Object.keys(metafile.outputs).map((path) => join(root, path)))
for (const entry of readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !written.has(path)) rmSync(path)
}
