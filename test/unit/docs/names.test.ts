import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { read, root } from './page.ts'

/* What docs and sources call each other by, outside of links: files, pages and scripts of package.json are there. */

const under = (folder: string, pattern: RegExp) =>
  readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name) && !name.includes('node_modules') && !name.includes('vendor'))
    .map((name) => `${folder}/${name}`)

const sources = ['src', 'test', 'bench', 'worker-php'].flatMap((folder) => under(folder, /\.(ts|mjs|php)$/))
const pages = ['README.md', 'worker-php/README.md', ...under('docs', /\.md$/)]

const named = (files: readonly string[], pattern: RegExp) =>
  files.flatMap((file) => [...read(file).matchAll(pattern)].map(([, name = '']) => ({ file, name })))

describe('files', () => {
  const files = named(
    ['docs/architecture.md', 'docs/benchmark.md', 'docs/chaos.md'],
    /`([\w./-]+\.(?:ts|mjs|php))`/g,
  )

  it.each(files)('$file: $name', ({ name }) => {
    expect(sources.filter((path) => path === name || path.endsWith(`/${name}`))).not.toEqual([])
  })

  it('are many', () => expect(files.length).toBeGreaterThan(100))
})

describe('pages', () => {
  const mentions = named(sources, /(?<![\w/.])(docs\/[\w/.-]+\.md)/g)

  it.each(mentions)('$file: $name', ({ name }) => {
    expect(existsSync(new URL(name, root))).toBe(true)
  })

  it('are some', () => expect(mentions.length).toBeGreaterThan(10))
})

describe('scripts', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: object }

  it.each(named(pages, /npm run ([a-z][\w:-]*)/g))('$file: npm run $name', ({ name }) => {
    expect(Object.keys(scripts)).toContain(name)
  })
})
