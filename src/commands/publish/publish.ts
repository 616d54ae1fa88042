import { BrokerError } from '../../amqp/broker-error.ts'
import { BrokerList } from '../../amqp/broker-list.ts'
import { Connections } from '../../amqp/connections.ts'
import type { Answer } from '../../amqp/direct-reply.ts'
import { ConfirmPublisher } from '../../amqp/publisher.ts'
import { plainQueue } from '../../amqp/queue.ts'
import { QueueAges } from '../../amqp/queue-ages.ts'
import { complain } from '../../command-line/output.ts'
import type { Signals } from '../../command-line/signals.ts'
import { OptionError } from '../../config/option-error.ts'
import { readPublishConfig } from '../../config/publish-config.ts'
import { logLines } from '../../observe/log-lines.ts'
import { createLogger } from '../../observe/logger.ts'
import type { Invocation } from '../command.ts'
import { complainOfUnread } from '../tell-unread.ts'
import { Answers } from './answers.ts'
import { EXIT, PublishRun } from './publish-run.ts'

/**
 * `fpm-bridge publish`: every message persistent, confirmed, and routed to a queue. A message that is not JSON
 * although its content type says so is left out; the first one that cannot be published ends the run.
 *
 * @returns the exit code: 0 all published (and answered, with --wait-reply), 65 some input was bad, 69 no broker or no answer, 75
 * stopped half-way, 78 refused
 */
export async function publish({ words, options, unread, signals }: Invocation): Promise<number> {
  const config = readPublishConfig(options(), words)
  if (config.source.kind === 'lines' && process.stdin.isTTY) {
    throw new OptionError('no messages: give them as arguments, with --body, or on standard input', 64)
  }
  complainOfUnread(unread)
  const log = createLogger({ level: 'warn', format: 'text', stream: process.stderr, fields: {} })
  const { queue, queueType, declare } = config
  const topology = { queues: [plainQueue(queue, queueType)], declare, ages: new QueueAges(false) }
  const tell = logLines(log)
  const brokers = new BrokerList(config.brokers, tell)
  brokers.warnOfInsecure()
  const connections = new Connections('fpm-bridge publish')
  const answers = config.waitReply === undefined ? undefined : new Answers(config.waitReply)
  const onAnswer = answers && ((answer: Answer) => answers.take(answer))
  const given = { brokers, connections, topology, ...(onAnswer && { onAnswer }) }
  const publisher = new ConfirmPublisher(given, tell)
  const run = new PublishRun(config, publisher, answers)
  const complete = async (): Promise<number> => {
    try {
      await publisher.connect()
      await warnOfLosses(publisher)
      return await run.complete()
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      complain(error.message)
      return error.permanent ? EXIT.configuration : EXIT.unavailable
    } finally {
      await publisher.close()
    }
  }
  return Promise.race([complete(), left(run, signals)])
}

/** What is confirmed, and gone some day all the same: nobody else tells the publisher. */
async function warnOfLosses(publisher: ConfirmPublisher): Promise<void> {
  for (const { kind, queue, reason } of await publisher.examine()) {
    if (kind === 'transient') complain(`queue "${queue}" will lose messages: ${reason}`)
  }
}

/** Resolves with an exit code when a signal leaves nothing to wait for. */
function left(run: PublishRun, signals: Signals): Promise<number> {
  return new Promise((resolve) => {
    signals.listen({
      end(signal) {
        if (run.stop(signal)) {
          complain(`${signal}: nothing more is sent; what is sent is waited for`)
          return
        }
        complain(`stopped: ${signal}, before anything was sent`)
        resolve(EXIT.incomplete)
      },
      leave(signal) {
        complain(`${signal} again: leaving at once; what is not confirmed may be in the queue all the same`)
        resolve(EXIT.incomplete)
      },
      hangUp: (signal) => complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`),
      toggleDebug: (signal) => complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`),
      ignore: (signal) => complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`),
    })
  })
}
