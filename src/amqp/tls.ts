/** How `amqps:` is spoken. Whatever is here, host name and CA are verified, unless `insecure`. */
export interface TlsOptions {
  /** CA certificates to trust in place of Node.js' own list; PEM. */
  readonly ca?: string | undefined
  /** The client certificate, the certificates between it and its CA behind it; PEM. Comes with its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Nothing about the broker's certificate is verified. */
  readonly insecure: boolean
}

/**
 * What OpenSSL's codes mean to an operator. The broker's view of the client comes as an alert (RFC 8446, section 6.2),
 * with TLS 1.3 only after our side of the handshake is done.
 */
const EXPLANATIONS: readonly (readonly [code: RegExp, explanation: string])[] = [
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another host; in --url use a name that the certificate has',
  ],
  [
    /^SELF_SIGNED_CERT_IN_CHAIN$|^DEPTH_ZERO_SELF_SIGNED_CERT$|^UNABLE_TO_(GET_ISSUER|VERIFY)/,
    'its certificate is from no CA that is trusted; give the certificate of its CA with --tls-ca',
  ],
  [/^CERT_HAS_EXPIRED$/, "its certificate has expired; renew it, or correct this machine's clock"],
  [
    /^CERT_NOT_YET_VALID$/,
    "its certificate is not valid yet; correct this machine's clock, or the certificate",
  ],
  [/_ALERT_CERTIFICATE_REQUIRED$/, 'it wants a client certificate; give one with --tls-cert and --tls-key'],
  // Up to TLS 1.2 the alert of a broker that wants a certificate, and also that of one without a common cipher.
  [
    /_ALERT_HANDSHAKE_FAILURE$/,
    'it ended the TLS handshake; it may want a client certificate (--tls-cert and --tls-key)',
  ],
  [
    /_ALERT_(UNKNOWN_CA|(BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_(UNKNOWN|EXPIRED|REVOKED)|ACCESS_DENIED)$/,
    'it does not accept the client certificate; --tls-cert must be valid, and from a CA that the broker trusts',
  ],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/,
    'no TLS is spoken on that port; name the TLS port in --url (often 5671), or begin it with amqp://',
  ],
  // All others that Node.js has for TLS and for certificates (X.509).
  [/^ERR_(SSL|TLS)_|CERT|CRL|^INVALID_|^PATH_LENGTH|^HOSTNAME_/, 'the TLS handshake failed'],
]

/**
 * Why there is no TLS with a broker that can be reached, and what to do; undefined when TLS is not the reason. It
 * stays so until somebody changes a certificate or an option.
 */
export function explainTlsError(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined
  const { code } = error
  const explanation = EXPLANATIONS.find(([pattern]) => pattern.test(code))?.[1]
  return explanation === undefined ? undefined : `${explanation} (${code})`
}
