/** Milliseconds between two collections, from the shortest to the longest: longer and longer while nothing changes. */
const INTERVAL = { shortest: 5_000, longest: 60_000 } as const
/** Bytes of buffers that may stay unused. */
const TOLERATED = 32 * 1024 * 1024

/**
 * Gives the memory of large bodies back to the system. V8 collects garbage when something is allocated: of a daemon that has
 * become idle, gigabytes of bodies and forms that nobody refers to would stay for ever, since outside the heap they count little.
 */
export function giveBackUnusedMemory(): void {
  let seen = 0
  let interval: number = INTERVAL.shortest
  let due = performance.now() + interval
  const look = async (): Promise<void> => {
    const buffers = bufferBytes()
    const isSame = Math.abs(buffers - seen) < TOLERATED
    seen = buffers
    if (buffers < TOLERATED || (isSame && performance.now() < due)) return
    await collectGarbage()
    seen = bufferBytes()
    // What is still there is in use, perhaps for as long as a hold lasts.
    interval =
      isSame && buffers - seen < TOLERATED ? Math.min(2 * interval, INTERVAL.longest) : INTERVAL.shortest
    due = performance.now() + interval
  }
  setInterval(() => void look(), INTERVAL.shortest).unref()
}

function bufferBytes(): number {
  return process.memoryUsage().arrayBuffers
}

/** A whole collection takes some milliseconds: the heap is small where bodies are outside of it. */
async function collectGarbage(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  // Node.js has a function for it only where it is started with this flag.
  setFlagsFromString('--expose-gc')
  const gc: () => void = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  gc()
}
