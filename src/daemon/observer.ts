import type { Tell } from '../bridge/events.ts'
import type { AdminConfig } from '../config/admin.ts'
import { formatPoolAddress } from '../fastcgi/address.ts'
import type { Log } from '../observe/logger.ts'
import type { ProcessView } from '../observe/views.ts'
import type { SupervisorLink } from './supervisor-link.ts'

/** Hears what bridges tell, and shows the process to those who ask. */
export interface DaemonObserver {
  /** @returns what the bridge of that queue is to tell */
  subscriber(queue: string): Tell
  /** Everything has been told. Never rejects. */
  close(): Promise<void>
}

/**
 * A supervised process is seen by way of its supervisor, another one at --admin. What it needs is loaded where somebody wants it.
 *
 * @throws {OptionError} when nobody can listen at --admin
 */
export async function openObserver(
  admin: AdminConfig | undefined,
  link: SupervisorLink | undefined,
  view: ProcessView,
  log: Log,
): Promise<DaemonObserver | undefined> {
  if (link !== undefined)
    return link.isWatched ? new (await import('./reporter.ts')).Reporter(view, link) : undefined
  if (admin === undefined) return undefined
  const observer = await (await import('./admin.ts')).Admin.open(admin, view)
  log.info('Listening.', { admin: formatPoolAddress(admin.address) })
  return observer
}
