import type { BridgeConfig } from '../../config/bridge-config.ts'
import { bytesOf, fpmTime, fpmTimeOf, iniSize, isOn } from './ini.ts'
import type { PhpFacts } from './php-facts.ts'
import { failed, line, passed, type Verdict, warned } from './verdict.ts'

export interface PhpRule {
  /** Where there is one, the name of the setting. */
  readonly point: string
  /** @param asked requests at a time of all bridges on the pool */
  readonly of: (php: PhpFacts, bridge: BridgeConfig, asked: number) => Verdict
}

/** Bodies of more bytes are kept in PHP's temporary folder. */
const IN_MEMORY = 16 * 1024
/** A form has its fields in memory beside the body that they come from. */
const COPIES = 2
/** PHP's own limit, of fields of a form. */
const USUAL_FIELDS = 1_000
const MIB = 1024 ** 2

/** Everything that PHP and php-fpm are asked about, compared with the options of the bridge. */
export const PHP_RULES: readonly PhpRule[] = [
  {
    point: 'display_errors',
    of: ({ settings }) =>
      isOn(settings['display_errors'])
        ? warned(
            'errors are printed into the answer: a script that dies of one has answered 200, which is success',
            line('php_admin_flag[display_errors] = off'),
          )
        : passed('errors are not printed into the answer'),
  },
  {
    point: 'log_errors',
    of: ({ settings }) =>
      isOn(settings['log_errors'])
        ? passed('errors are logged')
        : warned(
            'errors are logged nowhere: neither the log of the daemon nor a dead letter will say why a message failed',
            line('php_admin_flag[log_errors] = on'),
          ),
  },
  {
    point: 'error_log',
    of: ({ settings }) =>
      settings['error_log']
        ? warned(
            `errors go to ${settings['error_log']}, and not to the daemon: neither its log nor a dead letter will have them`,
            'take `error_log` out of the pool and out of php.ini, and restart php-fpm',
          )
        : passed('errors go to the daemon'),
  },
  {
    point: 'fastcgi.logging',
    of: ({ settings }) => {
      const { 'fastcgi.logging': logging = '1' } = settings
      return isOn(logging)
        ? passed('what is logged goes to the daemon')
        : warned(
            'what is logged does not go to the daemon: neither its log nor a dead letter will have it',
            line('php_admin_flag[fastcgi.logging] = on'),
          )
    },
  },
  {
    point: 'post_max_size',
    of: ({ settings }, { maxBody, payload, messagesPerRequest }) => {
      const limit = bytesOf(settings['post_max_size'])
      if (payload !== 'form' || messagesPerRequest > 1) return passed('it does not count for these requests')
      return limit > 0 && limit < maxBody
        ? warned(
            `of a form beyond ${settings['post_max_size']} PHP takes nothing ($_POST is empty), and --max-body is ${iniSize(maxBody)}`,
            `${line(`php_admin_value[post_max_size] = ${iniSize(maxBody)}`)}, or --max-body ${limit >= MIB ? `${Math.floor(limit / MIB)}MiB` : `${limit}B`}`,
          )
        : passed('it takes bodies as large as --max-body')
    },
  },
  {
    point: 'max_input_vars',
    of: ({ settings }, { payload }) => {
      const limit = Number(settings['max_input_vars'])
      if (payload !== 'form') return passed('it does not count for --payload raw')
      return limit < USUAL_FIELDS
        ? warned(
            `of a message with more than ${limit} fields PHP drops the rest`,
            `${line(`php_admin_value[max_input_vars] = ${USUAL_FIELDS}`)} or more, or --payload raw`,
          )
        : passed(`a message may have ${limit} fields; the package rejects those with more`)
    },
  },
  {
    point: 'enable_post_data_reading',
    of: ({ settings }, { payload }) => {
      if (isOn(settings['enable_post_data_reading']))
        return passed('PHP reads the body before the script begins')
      return payload === 'form'
        ? failed(
            'PHP reads no form: $_POST is empty for each message',
            `${line('php_admin_flag[enable_post_data_reading] = on')}, or --payload raw`,
          )
        : passed('PHP leaves each body as it is')
    },
  },
  {
    point: 'memory_limit',
    of: ({ settings }, { maxBody }) => {
      const limit = bytesOf(settings['memory_limit'])
      return limit > 0 && limit < COPIES * maxBody
        ? warned(
            `a message may have ${iniSize(maxBody)} (--max-body), and a script no more memory than ${settings['memory_limit']}: the largest ones end it`,
            `${line(`php_admin_value[memory_limit] = ${iniSize(COPIES * maxBody)}`)}, or a smaller --max-body`,
          )
        : passed('it has room for the largest message')
    },
  },
  {
    point: 'upload_tmp_dir',
    of: ({ temporary: { path, writable, free } }, { maxBytesInFlight, maxBody }) => {
      if (!writable && maxBody > IN_MEMORY)
        return failed(
          `the pool cannot write to ${path}: of a body over 16 KiB the script gets nothing`,
          `make it a folder that the user of the pool may write to, or ${line('php_admin_value[upload_tmp_dir] = /tmp')}`,
        )
      return free !== undefined && free < maxBytesInFlight
        ? warned(
            `${path} has ${iniSize(free)} left, and --max-bytes-in-flight is ${iniSize(maxBytesInFlight)}: when it is full, scripts get a part of the body`,
            `free some, or ${line('php_admin_value[upload_tmp_dir] = /tmp')} or another folder with room`,
          )
        : passed(`${path} has room for the bodies in flight`)
    },
  },
  {
    point: 'max_execution_time',
    of: ({ settings }, { timeout }) => {
      const seconds = Number(settings['max_execution_time'])
      return seconds > 0 && (timeout === 0 || seconds * 1_000 < timeout)
        ? warned(
            `a script that has computed for ${seconds} s is ended, and --timeout is ${timeout === 0 ? 'none' : fpmTime(timeout)}`,
            `${line('php_admin_value[max_execution_time] = 0')}, and leave the limit to request_terminate_timeout`,
          )
        : passed('it ends no script before --timeout')
    },
  },
  {
    point: 'request_terminate_timeout',
    of: ({ pool }, { timeout, messagesPerRequest, requestLifetime }) => {
      if (pool === undefined)
        return {
          is: 'unknown',
          text: 'its configuration file cannot be found or read from within the pool',
          remedy:
            'look yourself: request_terminate_timeout has to be shorter than --timeout (docs/operations.md)',
        }
      const limit = fpmTimeOf(pool['request_terminate_timeout'])
      const right = timeLimitFor(timeout)
      if (limit === 0)
        return warned(
          'a script that hangs keeps its child for ever: --timeout ends the wait for it, and not the script',
          right,
        )
      if (timeout > 0 && limit >= timeout)
        return warned(
          `${pool['request_terminate_timeout']} is not shorter than --timeout (${fpmTime(timeout)}): a script runs on beside its own repetition`,
          right,
        )
      return messagesPerRequest > 1 && limit <= requestLifetime
        ? warned(
            `it counts a request with all its messages, and --request-lifetime is ${fpmTime(requestLifetime)}: messages are ended in their midst`,
            `${right}, or a shorter --request-lifetime`,
          )
        : passed(`a script is ended after ${pool['request_terminate_timeout']}, before --timeout`)
    },
  },
  {
    point: 'process_control_timeout',
    of: ({ pool }) => {
      if (pool === undefined)
        return { is: 'unknown', text: 'its configuration file cannot be found or read from within the pool' }
      return fpmTimeOf(pool['process_control_timeout']) === 0
        ? warned(
            'a reload of php-fpm ends what runs, at once',
            'in the section [global]: `process_control_timeout = 60s`, or as long as your longest message takes',
          )
        : passed(`a reload of php-fpm waits ${pool['process_control_timeout']} for what runs`)
    },
  },
  {
    point: 'pm.max_children',
    of: ({ pool }, _, asked) => {
      if (pool?.['pm'] === 'static') return passed('a static pool has all its children, and they are counted')
      const children = Number(pool?.['pm.max_children'])
      if (!(children > 0))
        return { is: 'unknown', text: 'its configuration file cannot be found or read from within the pool' }
      return children < asked
        ? warned(
            `the pool may have ${children} children, and its bridges together ask for ${asked}`,
            `${line(`pm.max_children = ${asked}`)}, or lower --concurrency`,
          )
        : passed(`the pool may have ${children} children, for ${asked} requests at a time`)
    },
  },
  {
    point: 'output_buffering',
    of: ({ settings }) =>
      passed(`${settings['output_buffering'] || 'off'}; the worker keeps what is printed, whatever it is`),
  },
  {
    point: 'opcache',
    of: ({ opcache: { enabled, full, restarts } }) => {
      if (!enabled)
        return warned(
          'it is off: each message compiles the application anew',
          `install PHP's opcache (zend_extension=opcache), and ${line('php_admin_flag[opcache.enable] = on')}`,
        )
      return full || restarts > 0
        ? warned(
            `it is too small: ${full ? 'full' : `started anew ${restarts} times`}`,
            'in php.ini: `opcache.memory_consumption` and `opcache.max_accelerated_files`, larger',
          )
        : passed('it is on, and has room')
    },
  },
  {
    point: 'user',
    of: ({ userId }) =>
      userId === 0
        ? warned('scripts run as root', `${line('user = www-data')} or another one of its own`)
        : passed(userId === undefined ? 'who runs it is not known' : `scripts run as user ${userId}`),
  },
]

/** A little less than the daemon waits, as a minute of 25. php-fpm counts whole seconds, and takes 0 for no limit. */
function timeLimitFor(timeout: number): string {
  if (timeout === 0) return line('request_terminate_timeout = 24m')
  if (timeout <= 1_000) return `${line('request_terminate_timeout = 1s')}, and a longer --timeout`
  const limit = timeout > 120_000 ? timeout - 60_000 : timeout * 0.9
  return line(`request_terminate_timeout = ${fpmTime(Math.max(1_000, limit))}`)
}
