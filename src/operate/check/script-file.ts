import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { systemCodeOf } from '../../fastcgi/types.ts'

/** A script is a few lines before the application; more of it is not read. */
const MAX_BYTES = 256 * 1024

/** A worker script as it is seen from here; php-fpm may see other files, in a container or a chroot. */
export type SeenScript =
  | { readonly kind: 'file'; readonly usesPackage: boolean }
  | { readonly kind: 'absent' | 'closed' | 'other' }

export function lookAtScript(path: string): SeenScript {
  try {
    const file = openSync(path, 'r')
    try {
      if (!fstatSync(file).isFile()) return { kind: 'other' }
      const bytes = Buffer.alloc(MAX_BYTES)
      const length = readSync(file, bytes, 0, MAX_BYTES, 0)
      return { kind: 'file', usesPackage: usesPackage(bytes.toString('utf8', 0, length)) }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === undefined) throw error
    return { kind: code === 'EACCES' || code === 'EPERM' ? 'closed' : 'absent' }
  }
}

/**
 * Whether the script hands its request over to the package worker-php, which executes nothing for a probe: it names the class, and
 * calls it, outside of comments. One that leaves that to a file that it includes is not known to.
 */
export function usesPackage(php: string): boolean {
  const code = php.replace(/\/\*.*?\*\//gs, '').replace(/(?:^|\s)(?:\/\/|#(?!\[)).*$/gm, '')
  const isNamed = /\bFpmBridge\\Worker\\Worker\b/.test(code)
  return isNamed && /\bWorker::(?:run|boot)\s*\(|\bnew\s+\\?(?:FpmBridge\\Worker\\)?Worker\b/.test(code)
}
