import { expect } from 'vitest'
import { ask, scrape } from '../support/admin.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { BridgesFile } from '../support/bridges-file.ts'
import { expressionsOf, readDashboard } from '../support/dashboard.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { type Prometheus, type Sample, startPrometheus } from '../support/prometheus.ts'
import { workerThat } from '../support/worker-script.ts'

/* A real Prometheus, which scrapes a daemon at work: what the dashboard and the alerts ask it is answered with what was executed. */

const test = base.extend<{ watch: (targets: readonly string[]) => Promise<Prometheus> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which fixtures this one needs.
  watch: async ({}, use) => {
    const started: Prometheus[] = []
    await use(async (targets) => {
      const prometheus = await startPrometheus(targets)
      started.push(prometheus)
      return prometheus
    })
    for (const prometheus of started) await prometheus.close()
  },
})

/** Who works, by the arguments that make it so. */
const CREWS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['one process', []],
  ['a fleet of two', ['--instances', '2']],
]

/** The bodies of each queue, and what is to become of them. */
const BODIES = {
  a: [...Array(36).fill(200), 404, 503, 'die'],
  b: Array(25).fill(200),
} as const
/** One that comes before the others: of a series that begins with a value, increase() knows no increase. */
const FIRST = ['die']
const EXPECTED = { 'a executed': 36, 'a retry': 3, 'a dead-letter': 4, 'b executed': 25 }

/** What only a fleet has. */
const OF_FLEETS = /fpm_bridge_process_/

const sumOf = (samples: readonly Sample[]) => samples.reduce((sum, { value }) => sum + value, 0)

test.for(CREWS)(
  '%s: each query has an answer, and the sums are what was executed',
  async ([, args], { broker, queue, ownPool, watch }) => {
    const pool = await ownPool({ children: 3 })
    const worker = workerThat(
      `usleep(20000);
     if ($_POST['status'] === 'die') { exec('kill -9 ' . getmypid()); }
     http_response_code((int) $_POST['status']);`,
    )
    const admin = `127.0.0.1:${(await freePorts(1))[0]}`
    const file = new BridgesFile(
      {
        url: broker.url,
        socket: pool.socket,
        script: worker.path,
        ack: 'completed',
        'max-attempts': 2,
        'retry-delay': '100ms',
        'log-format': 'json',
        admin,
      },
      [{ queue: `${queue}.a` }, { queue: `${queue}.b` }],
    )
    const daemon = await spawnBridge(['--config', file.path, ...args])
    try {
      await eventually('all consume', async () => (await ask(admin, '/readyz')).status === 200)
      const prometheus = await watch([admin])
      const one = async (expression: string) => sumOf(await prometheus.query(expression))
      await eventually('it is scraped twice', async () => (await one('min(count_over_time(up[1m]))')) >= 2)

      const timestamp = Math.floor(Date.now() / 1_000) - 30
      const publish = (name: string, statuses: readonly unknown[]) =>
        publishAll(
          broker,
          `${queue}.${name}`,
          statuses.map((status) => ({ status })),
          { timestamp },
        )
      await publish('a', FIRST)
      await eventually(
        'its failures are known',
        async () => (await one('sum(fpm_bridge_fastcgi_errors_total)')) === 2,
      )
      for (const [name, statuses] of Object.entries(BODIES)) await publish(name, statuses)
      const total = Object.values(EXPECTED).reduce((sum, count) => sum + count)
      await eventually('all are settled', async () => countIn(await scrape(admin)) === total)
      await eventually(
        'Prometheus knows it',
        async () => (await one('sum(fpm_bridge_messages_total)')) === total,
      )
      await eventually('twice', async () => (await one('min(count_over_time(up[1m]))')) >= 8)

      const dashboard = readDashboard()
      const fill = (text: string) =>
        text
          .replaceAll('$__rate_interval', '5m')
          .replaceAll('$__range', '5m')
          .replaceAll('$queue', `${queue}.*`)
          .replaceAll(/\$(?:job|instance)/g, '.+')
      const answers = new Map<string, readonly Sample[]>()
      for (const [title, expression] of expressionsOf(dashboard)) {
        if (args.length === 0 && OF_FLEETS.test(expression)) continue
        const answer = await prometheus.query(fill(expression))
        answers.set(`${title} ${answers.has(title) ? expression : ''}`.trim(), answer)
        // Without a value, or with nothing but 0/0, a panel is empty.
        const isEmpty = !answer.some(({ value }) => !Number.isNaN(value))
        expect([title, expression, isEmpty]).toEqual([title, expression, false])
      }
      const counts = answers.get('Since the start of each daemon')?.filter(({ value }) => value > 0) ?? []
      const byName = counts.map(({ labels, value }) => [
        `${labels['queue']?.replace(`${queue}.`, '')} ${labels['outcome']}`,
        value,
      ])
      expect(Object.fromEntries(byName)).toEqual(EXPECTED)
      // What executed them says the same: three of them twice.
      expect(worker.executions()).toHaveLength(36 + 25 + 1 + 3 * 2)
      // Prometheus guesses what was before the first look and after the last one.
      const near = (count: number) => [Math.floor(count * 0.97), Math.ceil(count * 1.06)] as const
      const within = (title: string, count: number, atMost = count) => {
        const [least] = near(count)
        const [, most] = near(atMost)
        const sum = sumOf(answers.get(title) ?? [])
        expect([title, sum >= least && sum <= most, sum]).toEqual([title, true, sum])
      }
      within('Dead letters', 4)
      within('Dead letters by reason', 4)
      expect(sumOf(answers.get('Lost') ?? [])).toBe(0)
      // Two, and another one where Prometheus has looked between the two of the message that came first.
      within('FastCGI errors', 2, 3)
      const executed = (title: string) =>
        sumOf((answers.get(title) ?? []).map(({ value }) => ({ labels: {}, value: value * 300 })))
      expect(executed('Executed by queue')).toBeGreaterThan(0.9 * 61)
      const ages = answers.get('Message age (p95)') ?? []
      expect(ages.map(({ value }) => value > 25 && value < 300)).toEqual([true, true])

      for (const { name, query } of dashboard.templating.list) {
        const text = typeof query === 'string' ? query : query.query
        const [, selector, label = ''] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? []
        if (selector === undefined) continue
        const values = (await prometheus.query(fill(selector))).map(({ labels }) => labels[label])
        const expected = { job: ['fpm-bridge'], instance: [admin], queue: [`${queue}.a`, `${queue}.b`] }[name]
        expect([name, [...new Set(values)].toSorted()]).toEqual([name, expected])
      }

      const rules = await eventually('the rules are evaluated', async () => {
        const found = await prometheus.rules()
        return found.every(({ health }) => health !== 'unknown') && found
      })
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
      const firing = rules.filter(({ state }) => state !== 'inactive').map(({ name }) => name)
      expect(firing).toEqual(['FpmBridgeDeadLetters'])
      for (const { name, query } of rules)
        for (const [selector] of query.matchAll(/(?:up|(?:fpm_bridge|phpfpm|process)_\w+)(?:\{[^}]*\})?/g))
          expect([
            name,
            selector,
            (args.length === 0 && OF_FLEETS.test(selector)) || (await prometheus.query(selector)).length > 0,
          ]).toEqual([name, selector, true])

      await daemon.kill()
      await eventually('the end is seen', async () => {
        const states = new Map((await prometheus.rules()).map(({ name, state }) => [name, state]))
        return states.get('FpmBridgeDown') === 'pending' && states.get('FpmBridgeAbsent') === 'pending'
      })
    } finally {
      await daemon.kill()
    }
  },
)

/** What has become of messages, all in all. */
function countIn(samples: ReadonlyMap<string, number>): number {
  return [...samples].reduce(
    (sum, [name, value]) => (name.startsWith('fpm_bridge_messages_total{') ? sum + value : sum),
    0,
  )
}
