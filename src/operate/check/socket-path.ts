import { type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemCodeOf } from '../../fastcgi/types.ts'
import {
  type Credentials,
  groupName,
  isAllowed,
  ownershipText,
  PASS,
  userName,
  WRITE,
} from './credentials.ts'
import type { Fault } from './finding.ts'
import { quoted } from './shell.ts'

/** Why somebody does not get to a socket, and what to do about it. */
export interface PathFault {
  readonly point: 'folder' | 'socket' | 'permission'
  readonly fault: Fault
  readonly text: string
  readonly remedy: string
}

/**
 * Walks the path of a pool's socket, folder by folder.
 *
 * @returns the first thing that is in the way, as far as owners, groups and modes tell; undefined where nothing is
 */
export function faultOnPath(path: string, who: Credentials): PathFault | undefined {
  for (const folder of foldersOf(path)) {
    const stats = statsOf(folder)
    if (stats === undefined) return absentFolder(folder)
    if (!stats.isDirectory())
      return {
        point: 'folder',
        fault: 'configuration',
        text: `${folder} is no folder`,
        remedy: 'correct --socket: it must be the `listen` of the pool',
      }
    if (!isAllowed(stats, who, PASS)) return closedFolder(folder, stats, who)
  }
  const stats = statsOf(path)
  if (stats === undefined)
    return {
      point: 'socket',
      fault: 'unavailable',
      text: `there is no ${path}`,
      remedy: 'start php-fpm; if it runs, --socket must be the `listen` of its pool',
    }
  if (!stats.isSocket())
    return {
      point: 'socket',
      fault: 'configuration',
      text: `${path} is ${stats.isDirectory() ? 'a folder' : 'a file'} and no socket`,
      remedy: 'correct --socket: it must be the `listen` of the pool',
    }
  return isAllowed(stats, who, WRITE) ? undefined : closedSocket(path, stats, who)
}

/** From the root on. */
function foldersOf(path: string): readonly string[] {
  const folder = dirname(path)
  return folder === path ? [folder] : [...(folder === '/' ? [] : foldersOf(folder)), folder]
}

/** Undefined where it is not there; what cannot be seen is taken for that, after the folder before has been found open. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    return undefined
  }
}

function absentFolder(folder: string): PathFault {
  return {
    point: 'folder',
    fault: 'unavailable',
    text: `there is no folder ${folder}`,
    remedy: `php-fpm makes the socket, and not its folder: \`mkdir -p ${quoted(folder)}\` (below /run: RuntimeDirectory= of its unit), and start php-fpm; or correct --socket`,
  }
}

function closedFolder(folder: string, stats: Stats, who: Credentials): PathFault {
  const user = userName(who.uid)
  const ofGroup = (stats.mode & (PASS << 3)) !== 0
  return {
    point: 'folder',
    fault: 'configuration',
    text: `${folder} (${ownershipText(stats)}) does not let ${user} pass`,
    remedy: `\`chmod o+x ${quoted(folder)}\`${ofGroup ? `, or add the user to its group: usermod -aG ${groupName(stats.gid)} ${user}` : ''}`,
  }
}

function closedSocket(path: string, stats: Stats, who: Credentials): PathFault {
  const group = groupName(who.gids[0] ?? 0)
  const user = userName(who.uid)
  return {
    point: 'permission',
    fault: 'configuration',
    text: `${path} (${ownershipText(stats)}) does not let ${user} connect`,
    remedy: `in the pool: \`listen.group = ${group}\` and \`listen.mode = 0660\`, and restart php-fpm; or add the user to the socket's group: usermod -aG ${groupName(stats.gid)} ${user}`,
  }
}
