import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { handlerScript } from '../support/handler-script.ts'
import { publishAll, takeAll } from '../support/messages.ts'

/* What a handler of worker-php can do to fail, and what becomes of it. */

const DELAYS = ['--retry-delay', '10ms', '--retry-max-delay', '20ms']
const COMPLETED = ['--ack', 'completed', '--max-attempts', '2', ...DELAYS]

const FATAL = "eval('abstract class A { abstract function f(); } class B extends A {}');"

interface Failure {
  /** What the handler does. */
  readonly php: string
  readonly status: 422 | 500 | 503
  /** What our line in the log says; it reaches the daemon whatever the pool's settings. */
  readonly says?: string
  /** What PHP's own line says, where it logs errors. */
  readonly logs?: string
}

const FAILURES: Readonly<Record<string, Failure>> = {
  exit: { php: 'exit;', status: 500, says: 'attempt 2 of 2): the handler has called exit' },
  'exit with a text': { php: "exit('done');", status: 500 },
  'exit from a success of its own making': {
    php: "header_remove(); http_response_code(200); header('X-Bridge-Outcome: ack'); exit('done');",
    status: 500,
  },
  'exit past every buffer': {
    php: "while (ob_get_level() > 0) ob_end_clean(); echo 'done'; flush(); exit;",
    status: 500,
  },
  'exit from a finished answer': { php: "echo 'done'; fastcgi_finish_request(); exit;", status: 500 },
  'fatal error': { php: `echo 'partial'; ${FATAL}`, status: 500, logs: 'PHP Fatal error:  Class ' },
  'fatal error after a flush': { php: `echo 'partial'; ob_end_flush(); flush(); ${FATAL}`, status: 500 },
  'out of memory': {
    php: "$all = ''; while (true) $all .= str_repeat('x', 1 << 20);",
    status: 500,
    logs: 'PHP Fatal error:  Allowed memory size',
  },
  'out of memory while it prints': {
    php: "while (true) { $all[] = str_repeat('x', 1 << 16); echo 'x'; }",
    status: 500,
  },
  'out of time': {
    php: 'set_time_limit(1); while (true);',
    status: 500,
    logs: 'PHP Fatal error:  Maximum execution time',
  },
  exception: {
    php: 'throw new \\RuntimeException("not\\ntoday");',
    status: 500,
    says: 'attempt 2 of 2): RuntimeException: not today in ',
  },
  error: { php: 'missing_function();', status: 500, says: 'undefined function' },
  retry: { php: "throw new Retry(0, 'the shop is closed');", status: 503, says: '): the shop is closed' },
  reject: { php: "throw new Reject('no such invoice');", status: 422, says: '): no such invoice' },
}

// The first is the worst that a pool can be: errors are printed, as if they were the answer, and logged nowhere.
test.for([
  { display_errors: 'on', log_errors: 'off' },
  { display_errors: 'off', log_errors: 'on' },
])(
  'no failure is taken for success, without --require-marker, with display_errors $display_errors',
  async (errors, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ ini: { ...errors, memory_limit: '16M' } })
    const cases = Object.entries(FAILURES).map(([name, { php }]) => `case '${name}': ${php} break;`)
    const worker = handlerScript(pool.directory, `switch ($do) { ${cases.join('\n')} }`)
    await publishAll(
      broker,
      queue,
      Object.keys(FAILURES).map((name) => ({ do: name })),
    )
    const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
    await eventually('all are settled', () => settledBy(daemon.log) === cases.length)

    const dead = await takeAll(broker, `${queue}.dead`)
    for (const [name, { status, says, logs }] of Object.entries(FAILURES)) {
      const copy = dead.find(({ content }) => JSON.parse(content.toString()).do === name)
      expect(copy?.properties.headers, name).toMatchObject({ 'x-fpm-bridge-status': status })
      const stderr = copy?.properties.headers?.['x-fpm-bridge-stderr'] ?? ''
      if (says !== undefined) expect(stderr, name).toContain(says)
      if (logs !== undefined && errors.log_errors === 'on') expect(stderr, name).toContain(logs)
      const executions = worker.executions().filter((execution) => execution.do === name)
      expect(executions, name).toHaveLength(status === 422 ? 1 : 2)
    }
  },
)

function settledBy(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message === 'Dead-lettered.' || message === 'Executed.').length
}
