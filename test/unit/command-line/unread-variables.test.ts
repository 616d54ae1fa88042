import { expect, it } from 'vitest'
import { environmentName, OPTIONS } from '../../../src/command-line/options.ts'
import { unreadVariables } from '../../../src/command-line/unread-variables.ts'

it.each([
  ['FPM_BRIDGE_CONCURENCY', 'FPM_BRIDGE_CONCURENCY (did you mean FPM_BRIDGE_CONCURRENCY?)'],
  [
    'FPM_BRIDGE_DEAD-LETTER-QUEUE',
    'FPM_BRIDGE_DEAD-LETTER-QUEUE (did you mean FPM_BRIDGE_DEAD_LETTER_QUEUE?)',
  ],
  ['FPM_BRIDGE_queue', 'FPM_BRIDGE_queue (did you mean FPM_BRIDGE_QUEUE?)'],
  ['FPM_BRIDGE_URLS', 'FPM_BRIDGE_URLS (did you mean FPM_BRIDGE_URL?)'],
  ['FPM_BRIDGE_URL_FIEL', 'FPM_BRIDGE_URL_FIEL (did you mean FPM_BRIDGE_URL_FILE?)'],
  ['FPM_BRIDGE_QUEUE_FILE', 'FPM_BRIDGE_QUEUE_FILE (FPM_BRIDGE_QUEUE is not read from a file)'],
  ['FPM_BRIDGE_VERBOSE', 'FPM_BRIDGE_VERBOSE (--verbose is for the command line alone)'],
  ['FPM_BRIDGE_CONTENT_TYPE', 'FPM_BRIDGE_CONTENT_TYPE (--content-type is for the command line alone)'],
  ['FPM_BRIDGE_VERSION', 'FPM_BRIDGE_VERSION'],
  ['FPM_BRIDGE_MAX_WORKERS', 'FPM_BRIDGE_MAX_WORKERS'],
  ['FPM_BRIDGE_', 'FPM_BRIDGE_'],
])('%s is read by nobody', (name, told) => {
  expect(unreadVariables({ [name]: 'hunter2' })).toEqual([told])
})

it('options are read, whatever command they are for', () => {
  const names = OPTIONS.filter(({ scope }) => scope !== 'command-line').map(({ name }) =>
    environmentName(name),
  )
  const environment = Object.fromEntries([...names, 'FPM_BRIDGE_URL_FILE'].map((name) => [name, 'x']))
  expect(unreadVariables(environment)).toEqual([])
})

it.each([
  'FPM_BRIDGE_SERVICE_HOST',
  'FPM_BRIDGE_SERVICE_PORT',
  'FPM_BRIDGE_SERVICE_PORT_METRICS',
  'FPM_BRIDGE_PORT',
  'FPM_BRIDGE_PORT_9100_TCP',
  'FPM_BRIDGE_PORT_9100_TCP_PROTO',
  'FPM_BRIDGE_PORT_9100_TCP_PORT',
  'FPM_BRIDGE_PORT_53_UDP_ADDR',
  'FPM_BRIDGE_ADMIN_SERVICE_HOST',
  'FPM_BRIDGE_ADMIN_PORT_9100_TCP',
])('Kubernetes sets %s where there is such a service', (name) => {
  expect(unreadVariables({ [name]: 'x' })).toEqual([])
})

it.each([
  ['one that is empty, which counts as not set', 'FPM_BRIDGE_CONCURENCY', ''],
  ['one of another case', 'fpm_bridge_concurency', '4'],
  ['one of another program', 'FPM_BRIDGED', '4'],
  ['what is no name but a value', 'FPM_BRIDGE_URL amqp://a:hunter2@host/?heartbeat', '4'],
])('nothing is said of %s', (_, name, value) => {
  expect(unreadVariables({ [name]: value })).toEqual([])
})

it('of many some are named, and the rest are counted', () => {
  const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`FPM_BRIDGE_X${index}`, 'x']))
  const told = unreadVariables(many)
  expect(told).toHaveLength(11)
  expect(told.at(-1)).toBe('1990 more')
})
