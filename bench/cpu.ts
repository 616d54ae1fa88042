import { readdirSync, readFileSync } from 'node:fs'

/** proc(5) counts in USER_HZ, which Linux fixes at 100 a second for user space. */
const TICKS_PER_SECOND = 100

/**
 * CPU seconds, user and system, that a process group has used so far, with those of children that have ended and were
 * waited for. Every process of spawnOwned leads a group, and what it forks stays in it. Steps of 0.01 s a process.
 */
export function groupCpuSeconds(group: number | undefined): number {
  if (group === undefined) throw new Error('the process has ended')
  let ticks = 0
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    // "pid (comm) state ppid pgrp ...", where comm may itself hold spaces and parentheses; state is field 3.
    const fields = readStat(pid)
      .replace(/^.*\) /s, '')
      .split(' ')
    const field = (number: number) => Number(fields[number - 3])
    if (field(5) !== group) continue
    // utime, stime, cutime, cstime
    ticks += field(14) + field(15) + field(16) + field(17)
  }
  return ticks / TICKS_PER_SECOND
}

/** Resident set size in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return '' // ended since the folder was read
  }
}
