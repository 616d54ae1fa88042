/** In the order in which they are looked at. */
export type Area = 'configuration' | 'broker' | 'queues' | 'socket' | 'pool' | 'script' | 'php' | 'clocks'

/** Whose fault it is that something fails: somebody has to start it, or to change a value, a right or a file. */
export type Fault = 'unavailable' | 'configuration'

interface About {
  readonly area: Area
  /** What is looked at, by a name that stays: `declare`, `display_errors`. docs/check.md has them all. */
  readonly point: string
  /** Of what: the name of a bridge or a queue, a URL without its password, a path. */
  readonly subject: string
  /** A sentence, without its full stop. */
  readonly text: string
}

/** One thing that was looked at. `unknown`: it could not be. What is in the way of messages has failed; what may be, some day, is warned of. */
export type Finding =
  | (About & { readonly status: 'passed' })
  | (About & { readonly status: 'unknown'; readonly remedy?: string })
  | (About & { readonly status: 'warned'; readonly remedy: string })
  | (About & { readonly status: 'failed'; readonly remedy: string; readonly fault: Fault })

export type Status = Finding['status']

/** Makes the findings of one subject. */
export interface Finder {
  passed(point: string, text: string): Finding
  unknown(point: string, text: string, remedy?: string): Finding
  warned(point: string, text: string, remedy: string): Finding
  failed(point: string, fault: Fault, text: string, remedy: string): Finding
}

export function findingsOf(area: Area, subject: string): Finder {
  return {
    passed: (point, text) => ({ area, point, subject, status: 'passed', text }),
    unknown: (point, text, remedy) => ({
      area,
      point,
      subject,
      status: 'unknown',
      text,
      ...(remedy !== undefined && { remedy }),
    }),
    warned: (point, text, remedy) => ({ area, point, subject, status: 'warned', text, remedy }),
    failed: (point, fault, text, remedy) => ({ area, point, subject, status: 'failed', fault, text, remedy }),
  }
}

/** @returns undefined where nothing has failed. A configuration that is wrong outweighs what is not there: it stays so */
export function faultOf(findings: readonly Finding[]): Fault | undefined {
  const faults = findings.flatMap((finding) => (finding.status === 'failed' ? [finding.fault] : []))
  return faults.includes('configuration') ? 'configuration' : faults[0]
}

/**
 * An error of ours says what happened, and after a semicolon what to do.
 *
 * @param usual the remedy where it does not say any, or asks back
 */
export function inTwo(message: string, usual: string): readonly [text: string, remedy: string] {
  const at = message.indexOf('; ')
  return at === -1
    ? [message, usual]
    : message.endsWith('?')
      ? [message.slice(0, at), usual]
      : [message.slice(0, at), message.slice(at + 2)]
}
