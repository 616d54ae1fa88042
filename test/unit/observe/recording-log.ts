import type { Log, LogLevel } from '../../../src/observe/logger.ts'

export interface RecordedLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines. */
export function recordingLog(): Log & { readonly lines: readonly RecordedLine[]; wants(): boolean } {
  const lines: RecordedLine[] = []
  const at =
    (level: LogLevel): Log[LogLevel] =>
    (message, fields = {}) => {
      lines.push({ level, message, fields })
    }
  return {
    lines,
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    wants: () => true,
  }
}
