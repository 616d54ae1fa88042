/** Why an execution is not success; status, stderr and the worker's name for the message where a worker answered. */
export interface Diagnosis {
  readonly reason: string
  readonly status?: number
  readonly stderr?: string
  readonly subject?: string | undefined
}

/** Characters of a worker's stderr that go into a log line. */
const LOGGED_STDERR = 2_048

/** The fields that it adds to a log line. */
export function diagnosisFields({
  reason,
  status,
  stderr,
}: Partial<Diagnosis>): Readonly<Record<string, unknown>> {
  return { reason, status, stderr: stderr?.slice(0, LOGGED_STDERR) || undefined }
}
