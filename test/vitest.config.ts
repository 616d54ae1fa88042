import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const include = (folder: string) => [`test/${folder}/**/*.test.ts`]

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    // Forked processes: a test may start processes and send itself signals.
    pool: 'forks',
    maxWorkers: 3,
    // A rejection that nobody awaited fails the run: Vitest's default, and never to be switched off here.
    dangerouslyIgnoreUnhandledErrors: false,
    // None of the limits decides a test: they are what a test that hangs may cost, many times what one takes.
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: include('unit'), testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        extends: true,
        test: { name: 'wire', include: include('wire'), testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: include('integration'),
          globalSetup: 'test/support/global-setup.ts',
          // Three files at once on two cores: most of a test's time goes to waiting.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
