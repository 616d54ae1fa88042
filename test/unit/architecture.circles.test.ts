import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { circlesOf, importGraph, importsOf } from '../support/import-graph.ts'

/*
 * The linter's noImportCycles does not count types. A circle of types is still two files that can only be understood together.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const graph = importGraph(root, ['src', 'bench', 'test'])

describe('no module imports itself by way of others', () => {
  it('in the sources, the bench and the tests, types included', () => {
    expect(circlesOf(graph)).toEqual([])
  })

  it.each([
    'src/main.ts',
    'bench/main.ts',
    'test/chaos/main.ts',
    'test/demo/main.ts',
    'test/figures/main.ts',
  ])('where %s is known with what it imports', (file) => {
    expect(graph.get(file)?.length).toBeGreaterThan(0)
  })
})

describe('a circle is found', () => {
  it.each([
    ['a value', "import { b } from './b.ts'"],
    ['a type', "import type { B } from './b.ts'"],
    ['a type among values', "import { a, type B } from './b.ts'"],
    ['on several lines', "import {\n  a,\n  b,\n} from './b.ts'"],
    ['passed on', "export { b } from './b.ts'"],
    ['a type passed on', "export type { B } from './b.ts'"],
    ['everything', "import * as b from './b.ts'"],
    ['for its effects', "import './b.ts'"],
    ['later', "const b = await import('./b.ts')"],
    ['a type in place', "type B = import('./b.ts').B"],
  ])('by %s', (_, source) => {
    expect(importsOf(`import fs from 'node:fs'\n\n${source}\n`)).toEqual(['./b.ts'])
  })

  it('of two, of three and of one, and only there', () => {
    const found = circlesOf(
      new Map([
        ['main', ['a', 'x', 'alone']],
        ['a', ['b']],
        ['b', ['a', 'x']],
        ['x', ['y']],
        ['y', ['z']],
        ['z', ['x']],
        ['alone', ['alone']],
        ['free', ['main', 'a']],
      ]),
    )
    expect(found).toEqual(['a -> b -> a', 'x -> y -> z -> x', 'alone -> alone'])
  })
})
