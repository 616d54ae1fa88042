import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The paths of a certificate and its key, both PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  /** Such as `DNS:localhost` or `IP:127.0.0.1`; default none. */
  readonly subjectAltName?: string
  /** The times between which it is valid, as YYYYMMDDHHMMSSZ; default the years 2000 to 2099. */
  readonly notBefore?: string
  readonly notAfter?: string
}

export interface CertificateAuthority {
  /** The path of its own certificate, PEM. */
  readonly cert: string
  /** Has it sign a certificate for a common name, which is also the name of the files. */
  issue(commonName: string, options?: CertificateOptions): Certificate
}

/** Makes a certificate authority of our own with the command `openssl`, in a new folder within `directory`. */
export function createAuthority(directory: string, name: string): CertificateAuthority {
  const folder = join(directory, name)
  mkdirSync(folder)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = (key: string) =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key)
  // `openssl ca` alone can set the times of a certificate; this is all that it asks for.
  writeFileSync(join(folder, 'index.txt'), '')
  writeFileSync(
    join(folder, 'ca.cnf'),
    `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
`,
  )
  newKey('ca.key')
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', `/CN=${name}`, '-days', '1', '-out', 'ca.crt')
  return {
    cert: join(folder, 'ca.crt'),
    issue(commonName, { subjectAltName, notBefore = '20000101000000Z', notAfter = '20991231235959Z' } = {}) {
      const [key, request, cert] = [`${commonName}.key`, `${commonName}.csr`, `${commonName}.crt`]
      newKey(key)
      const names = subjectAltName === undefined ? [] : ['-addext', `subjectAltName=${subjectAltName}`]
      openssl('req', '-new', '-key', key, '-subj', `/CN=${commonName}`, ...names, '-out', request)
      const valid = ['-startdate', notBefore, '-enddate', notAfter]
      const signer = ['-config', 'ca.cnf', '-cert', 'ca.crt', '-keyfile', 'ca.key', '-batch', '-notext']
      openssl('ca', ...signer, ...valid, '-in', request, '-out', cert)
      return { cert: join(folder, cert), key: join(folder, key) }
    },
  }
}
