/** What a service manager says to the process that it starts: sd_notify(3), sd_watchdog_enabled(3). */
export interface ServiceEnvironment {
  /** Where it wants to be told: a path, or an abstract name after an `@`. */
  readonly socket: string
  /** Milliseconds within which it wants to hear that the process is alive, each time anew; undefined where it does not watch. */
  readonly watchdog: number | undefined
  /** Where programs are looked for. */
  readonly searchPath: string | undefined
}

/**
 * Takes it out of the environment, so that no process inherits it which the manager does not mean.
 *
 * @returns undefined where nobody wants to be told
 */
export function takeServiceEnvironment(
  environment: NodeJS.ProcessEnv,
  pid: number,
): ServiceEnvironment | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched, PATH } = environment
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name]
  if (socket === undefined || socket === '') return undefined
  const isWatched = watched === undefined || watched === String(pid)
  const watchdog = Number(microseconds) / 1_000
  return { socket, watchdog: isWatched && watchdog > 0 ? watchdog : undefined, searchPath: PATH }
}
