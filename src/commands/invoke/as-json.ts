import type { Invoked } from '../../operate/invoke/invoker.ts'
import type { LoadReport } from '../../operate/invoke/load.ts'
import type { Verdict } from '../../operate/invoke/verdict.ts'
import { textOf } from './body-text.ts'

/** For programs; docs/invoke.md has the fields. What JSON leaves out is not there. */
export function invokedAsJson({
  messageId,
  executionId,
  attempt,
  answer,
  totalMs,
  verdict,
  warnings,
}: Invoked) {
  return {
    message_id: messageId,
    execution_id: executionId,
    attempt,
    answer: answer && {
      // NaN becomes null.
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      ...bodyAsJson(answer.body),
      body_truncated: answer.bodyTruncated,
      stderr: answer.stderr,
      stderr_truncated: answer.stderrTruncated,
    },
    timings_ms: {
      connect: rounded(answer?.timings.connect),
      first_byte: rounded(answer?.timings.firstByte),
      total: rounded(answer?.timings.total ?? totalMs),
    },
    ...verdictAsJson(verdict),
    warnings,
  }
}

export function loadAsJson(load: LoadReport) {
  const { done, end, concurrency, seconds, perSecond, connect, firstByte, total, verdicts } = load
  return {
    done,
    end,
    concurrency,
    seconds,
    messages_per_second: perSecond,
    timings_ms: { connect, first_byte: firstByte, total },
    outcomes: verdicts.map(({ count, ...verdict }) => ({ count, ...verdictAsJson(verdict) })),
  }
}

function verdictAsJson({ outcome, success, fate, row, what, reason }: Verdict) {
  return { outcome, success, fate, row, what, reason }
}

function bodyAsJson(body: Buffer) {
  const text = textOf(body)
  return text === undefined ? { body_base64: body.toString('base64') } : { body: text }
}

function rounded(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 1_000) / 1_000
}
