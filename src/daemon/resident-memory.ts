import { readFileSync } from 'node:fs'

/** Bytes of memory that the process has resident. */
export function residentMemory(): number {
  return process.memoryUsage.rss()
}

/**
 * The most that it ever had. Linux counts for getrusage(2) what the process had before it became Node.js, which is what its parent
 * had: /proc knows better.
 */
export function peakMemory(): number {
  return peakInProc() ?? process.resourceUsage().maxRSS * 1024
}

function peakInProc(): number | undefined {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined // another system
  }
}
