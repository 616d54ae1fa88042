/** Why an execution is not success; status, stderr and the worker's name for the message where a worker answered. */
export interface Diagnosis {
  readonly reason: string
  readonly status?: number
  readonly stderr?: string
  readonly subject?: string | undefined
}
