import { existsSync, readdirSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, it } from 'vitest'
import { read, root } from './page.ts'

/* Links within the repository lead to files that are there, and to headings that they have. */

const docs = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
const pages = [
  'README.md',
  'CHANGELOG.md',
  'worker-php/README.md',
  ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
]

const proseOf = (page: string) => read(page).replace(/^```.*?^```/gms, '')

/** As GitHub makes them of headings. */
const anchorsOf = (page: string) =>
  [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )

const links = pages.flatMap((page) =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => ({ page, link }))
    .filter(({ link }) => !/^https?:/.test(link)),
)

it('there are links', () => {
  expect(links.length).toBeGreaterThan(50)
  expect(links.filter(({ link }) => link.includes('#')).length).toBeGreaterThan(10)
})

it.each(links)('$page: $link', ({ page, link }) => {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : posix.join(posix.dirname(page), path)
  expect(existsSync(new URL(target, root)), target).toBe(true)
  if (anchor !== undefined) expect(anchorsOf(target)).toContain(anchor)
})
