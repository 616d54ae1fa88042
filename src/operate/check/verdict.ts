import type { Finder, Finding } from './finding.ts'

/** What a rule finds: that it is as it should be, or else what to do. */
export type Verdict =
  | { readonly is: 'passed' | 'unknown'; readonly text: string; readonly remedy?: string }
  | { readonly is: 'warned' | 'failed'; readonly text: string; readonly remedy: string }

export const passed = (text: string): Verdict => ({ is: 'passed', text })
export const warned = (text: string, remedy: string): Verdict => ({ is: 'warned', text, remedy })
export const failed = (text: string, remedy: string): Verdict => ({ is: 'failed', text, remedy })

/** A line of the pool's section. */
export const line = (setting: string) => `in the pool: \`${setting}\``

export function findingOf(point: string, found: Verdict, finder: Finder): Finding {
  switch (found.is) {
    case 'passed':
      return finder.passed(point, found.text)
    case 'unknown':
      return finder.unknown(point, found.text, found.remedy)
    case 'warned':
      return finder.warned(point, found.text, found.remedy)
    case 'failed':
      return finder.failed(point, 'configuration', found.text, found.remedy)
  }
}
