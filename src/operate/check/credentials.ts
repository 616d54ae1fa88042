import { readFileSync } from 'node:fs'

/** Who asks for something of the file system. */
export interface Credentials {
  readonly uid: number
  /** All groups, the primary one first. */
  readonly gids: readonly number[]
}

/** Undefined where the system has no such numbers. */
export function ownCredentials(): Credentials | undefined {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()]
  if (uid === undefined || gid === undefined) return undefined
  return { uid, gids: [gid, ...(process.getgroups?.() ?? [])] }
}

/** What `stat` tells of a file. */
interface Owned {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** As `chmod` counts them. */
export const PASS = 0o1
export const WRITE = 0o2

/** Whether the mode of a file lets somebody do that; access lists and security modules may say otherwise. */
export function isAllowed({ mode, uid, gid }: Owned, who: Credentials, right: number): boolean {
  if (who.uid === 0) return true
  const bits = who.uid === uid ? mode >> 6 : who.gids.includes(gid) ? mode >> 3 : mode
  return (bits & right) !== 0
}

/** `www-data:www-data 0660` */
export function ownershipText({ mode, uid, gid }: Owned): string {
  return `${userName(uid)}:${groupName(gid)} ${(mode & 0o7777).toString(8).padStart(4, '0')}`
}

/** The number, where it has no name here. */
export function userName(uid: number): string {
  return nameIn('/etc/passwd', uid) ?? String(uid)
}

export function groupName(gid: number): string {
  return nameIn('/etc/group', gid) ?? String(gid)
}

/** Name and number are the first and third of what colons part. */
function nameIn(path: string, id: number): string | undefined {
  try {
    const entries = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
    return entries.find(([, , number]) => number === String(id))?.[0]
  } catch {
    return undefined
  }
}
