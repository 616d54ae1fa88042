import { statSync } from 'node:fs'
import { readSmallFile } from '../../config/small-file.ts'
import { systemCodeOf } from '../../fastcgi/types.ts'

/** A worker script as it is seen from here; php-fpm may see other files, in a container or a chroot. */
export type SeenScript =
  | { readonly kind: 'file'; readonly usesPackage: boolean }
  | { readonly kind: 'absent' | 'unreadable' | 'other' }

export function lookAtScript(path: string): SeenScript {
  try {
    if (!statSync(path).isFile()) return { kind: 'other' }
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === undefined) throw error
    return { kind: code === 'EACCES' ? 'unreadable' : 'absent' }
  }
  try {
    return { kind: 'file', usesPackage: usesPackage(readSmallFile(path).toString('utf8')) }
  } catch {
    return { kind: 'unreadable' }
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
