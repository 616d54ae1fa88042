import { describe, expect, it } from 'vitest'
import {
  formatPoolAddress,
  type PoolAddress,
  parsePoolAddress,
  socketOptions,
} from '../../../src/fastcgi/address.ts'

const SHAPE = 'must be an absolute socket path (/run/php/fpm.sock), unix:///path or host:port'

describe('a pool address', () => {
  it.each<[string, PoolAddress, string]>([
    ['/run/php/fpm.sock', { kind: 'unix', path: '/run/php/fpm.sock' }, '/run/php/fpm.sock'],
    ['unix:///run/fpm.sock', { kind: 'unix', path: '/run/fpm.sock' }, '/run/fpm.sock'],
    ['/a b:9000', { kind: 'unix', path: '/a b:9000' }, '/a b:9000'],
    ['127.0.0.1:9000', { kind: 'tcp', host: '127.0.0.1', port: 9000 }, '127.0.0.1:9000'],
    ['php-fpm.svc_1:1', { kind: 'tcp', host: 'php-fpm.svc_1', port: 1 }, 'php-fpm.svc_1:1'],
    ['HOST:65535', { kind: 'tcp', host: 'HOST', port: 65_535 }, 'HOST:65535'],
    ['[::1]:9000', { kind: 'tcp', host: '::1', port: 9000 }, '[::1]:9000'],
    [
      '[::ffff:10.0.0.1]:9000',
      { kind: 'tcp', host: '::ffff:10.0.0.1', port: 9000 },
      '[::ffff:10.0.0.1]:9000',
    ],
  ])('%s', (text, address, written) => {
    expect(parsePoolAddress(text)).toEqual(address)
    expect(formatPoolAddress(address)).toBe(written)
    expect(parsePoolAddress(written)).toEqual(address)
  })

  it.each([
    '',
    'fpm.sock',
    './fpm.sock',
    'run/fpm.sock',
    'host',
    'host:',
    ':9000',
    'host:0',
    'host:65536',
    'host:-1',
    'host:9e3',
    'host:99999',
    'host:123456',
    '::1:9000',
    '[host]:9000',
    'tcp://host:9000',
    'unix:/run/fpm.sock',
    'http://host:80',
    'host:80/path',
    'a b:80',
    'host:80\n',
    'host\n:80',
    ' /run/fpm.sock',
    'fcgi@host:80',
  ])('refuses %j', (text) => {
    expect(() => parsePoolAddress(text)).toThrow(new Error(SHAPE))
  })

  it.each([
    ['unix://fpm.sock', 'must name an absolute path after unix://'],
    ['unix://', 'must name an absolute path after unix://'],
    ['/run/a\0b', 'must not contain a NUL byte'],
    [`/${'x'.repeat(107)}`, 'is 108 bytes long; the system takes socket paths of 107 at most'],
    [`unix:///${'x'.repeat(107)}`, 'is 108 bytes long; the system takes socket paths of 107 at most'],
    [`/${'é'.repeat(54)}`, 'is 109 bytes long; the system takes socket paths of 107 at most'],
  ])('refuses %j: %s', (text, complaint) => {
    expect(() => parsePoolAddress(text)).toThrow(new Error(complaint))
  })

  it('may be as long as the system takes', () => {
    const path = `/${'x'.repeat(106)}`
    expect(parsePoolAddress(path)).toEqual({ kind: 'unix', path })
  })

  it('is what net.connect takes', () => {
    expect(socketOptions({ kind: 'unix', path: '/a' })).toEqual({ path: '/a' })
    expect(socketOptions({ kind: 'tcp', host: '::1', port: 9 })).toEqual({ host: '::1', port: 9 })
  })
})
