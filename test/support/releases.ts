/** What takes each thing down that was started, in the order of their starts. */
export type Releases = (() => Promise<void> | void)[]

/** Takes down what was started last first, until as many are left as there were `before`; default none. */
export async function releaseAll(releases: Releases, before = 0): Promise<void> {
  while (releases.length > before) await releases.pop()?.()
}
