import { describe, expect, it } from 'vitest'
import { explainTlsError } from '../../../src/amqp/tls.ts'

const failure = (code: string) => Object.assign(new Error('error:0A00045C:SSL routines\n'), { code })

describe('an error of TLS', () => {
  it.each([
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'for another host'],
    ['SELF_SIGNED_CERT_IN_CHAIN', '--tls-ca'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', '--tls-ca'],
    ['UNABLE_TO_GET_ISSUER_CERT', '--tls-ca'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', '--tls-ca'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '--tls-ca'],
    ['CERT_HAS_EXPIRED', 'renew it'],
    ['CERT_NOT_YET_VALID', 'clock'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '--tls-cert and --tls-key'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', '--tls-cert and --tls-key'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'does not accept the client certificate'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'does not accept the client certificate'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'does not accept the client certificate'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', 'does not accept the client certificate'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'does not accept the client certificate'],
    ['ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE', 'does not accept the client certificate'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'no TLS is spoken on that port'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'the TLS handshake failed'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'the TLS handshake failed'],
    ['CERT_REVOKED', 'the TLS handshake failed'],
    ['INVALID_PURPOSE', 'the TLS handshake failed'],
  ])('%s is explained in one line, with its code', (code, says) => {
    const explanation = explainTlsError(failure(code))
    expect(explanation).toContain(says)
    expect(explanation).toMatch(new RegExp(`^[^\\n]* \\(${code}\\)$`))
  })

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EPIPE', 'ABORT_ERR', 'EPROTO'])(
    '%s is none',
    (code) => {
      expect(explainTlsError(failure(code))).toBeUndefined()
    },
  )

  it.each([new Error('no code'), Object.assign(new Error('a number'), { code: 403 }), undefined, 'text'])(
    '%s is none',
    (error) => {
      expect(explainTlsError(error)).toBeUndefined()
    },
  )
})
