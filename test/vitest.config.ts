import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const include = (folder: string) => [`test/${folder}/**/*.test.ts`]

/** Those about the process itself: its memory, what keeps it alive, and what it does when it exits. */
const ALONE = [
  'test/unit/daemon/unused-memory.test.ts',
  'test/unit/observe/line-buffer.test.ts',
  'test/wire/client.timeouts.test.ts',
]

/** Those that take the longest. Vitest would begin with the largest files, unless it has seen them before. */
const LONGEST = [
  'chaos',
  'laravel',
  'fleet.admin',
  'many-messages',
  'control-commands',
  'parked',
  'worker-php.lock',
  'symfony.framework',
  'fleet',
  'retry-crash',
  'client.connections',
  'retry-properties',
  'retry',
  'prometheus.queries',
  'laravel.reload',
  'cuts',
  'young-queues',
].map((name) => `/integration/${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const first = LONGEST.flatMap((name) => sorted.filter(({ moduleId }) => moduleId.endsWith(name)))
    return [...first, ...sorted.filter((file) => !first.includes(file))]
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Forked processes: a test may start processes and send itself signals.
    pool: 'forks',
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // A rejection that nobody awaited fails the run: Vitest's default, and never to be switched off here.
    dangerouslyIgnoreUnhandledErrors: false,
    // One file after the other in the same processes: to start one for each takes as long as most of them do themselves.
    isolate: false,
    // None of the limits decides a test: they are what a test that hangs may cost, many times what one takes.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'unit', include: include('unit'), exclude: ALONE } },
      { extends: true, test: { name: 'wire', include: include('wire'), exclude: ALONE } },
      { extends: true, test: { name: 'alone', include: ALONE, isolate: true } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: include('integration'),
          globalSetup: 'test/support/global-setup.ts',
          // Four files at once on two cores: half of a test's time goes to waiting.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
