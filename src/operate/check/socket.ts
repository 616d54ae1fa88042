import { statSync } from 'node:fs'
import { formatPoolAddress, type PoolAddress } from '../../fastcgi/address.ts'
import { isBacklogFull, probePool } from '../../fastcgi/socket.ts'
import { FastCgiError } from '../../fastcgi/types.ts'
import { type Credentials, ownershipText, userName, WRITE } from './credentials.ts'
import { type Finder, type Finding, findingsOf, inTwo } from './finding.ts'
import { faultOnPath } from './socket-path.ts'

/** Milliseconds for a connect to a pool, as the daemon gives it. */
const CONNECT_TIMEOUT = 5_000

const START = 'start php-fpm; if it runs, --socket must be the `listen` of its pool'
const MORE_CHILDREN = 'give the pool more children (`pm.max_children`), or look who else uses it'

/**
 * Whether the pool can be reached. What counts is whether a connection opens; where it does not, the path to the socket tells why. No byte is sent.
 *
 * @param who undefined where nobody knows
 */
export async function checkSocket(
  address: PoolAddress,
  who: Credentials | undefined,
): Promise<{ readonly findings: readonly Finding[]; readonly isOpen: boolean }> {
  const finder = findingsOf('socket', formatPoolAddress(address))
  try {
    await probePool(address, CONNECT_TIMEOUT)
  } catch (error) {
    if (!(error instanceof FastCgiError)) throw error
    return { findings: [refusal(address, error, who, finder)], isOpen: false }
  }
  const connect = finder.passed('connect', 'somebody listens there')
  if (address.kind === 'tcp') return { findings: [connect], isOpen: true }
  const way = [
    finder.passed('folder', 'each folder on the way lets this user pass'),
    finder.passed('socket', 'it is a socket'),
    finder.passed('permission', 'this user may connect'),
  ]
  return { findings: [...way, connect, ofOthers(address.path, finder), ...ofRoot(who, finder)], isOpen: true }
}

function refusal(
  address: PoolAddress,
  error: FastCgiError,
  who: Credentials | undefined,
  { failed }: Finder,
): Finding {
  const onPath = address.kind === 'unix' && who !== undefined ? faultOnPath(address.path, who) : undefined
  if (onPath !== undefined) return failed(onPath.point, onPath.fault, onPath.text, onPath.remedy)
  if (error.systemCode === 'EACCES')
    return failed(
      'permission',
      'configuration',
      'permission denied, though owners, groups and modes would allow it',
      'look at access lists (getfacl), SELinux and AppArmor; the folder may have gone meanwhile',
    )
  const [text] = inTwo(error.message, '')
  return failed('connect', 'unavailable', text, isBacklogFull(error) ? MORE_CHILDREN : START)
}

/** Whoever connects has php-fpm run any file that its user can read. */
function ofOthers(path: string, { passed, warned }: Finder): Finding {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats !== undefined && (stats.mode & WRITE) !== 0
    ? warned(
        'others',
        `each user of this machine may connect (${ownershipText(stats)}), and so run any PHP file as the user of the pool`,
        'in the pool: `listen.mode = 0660`, with `listen.owner` or `listen.group` of those who may; then restart php-fpm',
      )
    : passed('others', `no other users may connect${stats === undefined ? '' : ` (${ownershipText(stats)})`}`)
}

function ofRoot(who: Credentials | undefined, { unknown, passed }: Finder): readonly Finding[] {
  if (who === undefined) return []
  return [
    who.uid === 0
      ? unknown(
          'user',
          'root may connect to any socket: whether the user of the daemon may is not known',
          'run this as that user: sudo -u USER fpm-bridge check ...',
        )
      : passed('user', `looked at as ${userName(who.uid)}`),
  ]
}
