import { readFileSync } from 'node:fs'

export const root = new URL('../../../', import.meta.url)

/** A text file of the repository. */
export function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

/** What stands under a heading of level 2, up to the next one. */
export function section(page: string, heading: string): string {
  const [, text] = new RegExp(`\n## ${heading}\n(.*?)(?=\n## |$)`, 's').exec(page) ?? []
  if (text === undefined) throw new Error(`There is no "## ${heading}".`)
  return text.trim()
}
