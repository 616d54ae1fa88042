import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** File to the files that it imports, or whose types it names. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** `import … from`, `export … from`, `import 'x'`, `import('x')`; `import type` and `export type` among them. */
const IMPORTS =
  /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s+)?'(?<from>\.[^']+)'|\bimport\(\s*'(?<dynamic>\.[^']+)'\s*\)/gm

/** The relative modules that a source names, as it writes them. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(IMPORTS)].map(({ groups }) => groups?.['from'] ?? groups?.['dynamic'] ?? '')
}

/** The graph of all modules in some folders below `root`. What is imported and does not exist is left out: the compiler minds it. */
export function importGraph(root: string, folders: readonly string[]): ImportGraph {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(?:ts|mjs)$/.test(file))
      .map((file) => join(folder, file)),
  )
  return new Map(
    files.map((file) => {
      const imported = importsOf(readFileSync(join(root, file), 'utf8')).map((to) => join(dirname(file), to))
      return [file, imported.filter((to) => existsSync(join(root, to)))]
    }),
  )
}

/** One circle of each knot of modules that import each other, as `a -> b -> a`. */
export function circlesOf(graph: ImportGraph): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  function visit(file: string): void {
    const at = path.indexOf(file)
    if (at >= 0) circles.push([...path.slice(at), file].join(' -> '))
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const imported of graph.get(file) ?? []) visit(imported)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return circles
}
