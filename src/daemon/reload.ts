import { isDeepStrictEqual } from 'node:util'
import type { BridgeConfig } from '../config/bridge-config.ts'
import type { ProcessConfig } from '../config/process-config.ts'

/** What a new configuration asks of bridges that run, by queue: each queue has one bridge. */
export interface ReloadPlan {
  /** Of queues that had none. */
  readonly added: readonly BridgeConfig[]
  /** Of queues whose bridge is to be another one. */
  readonly changed: readonly BridgeConfig[]
  readonly same: readonly BridgeConfig[]
  /** Of queues that are to have none any more. */
  readonly gone: readonly BridgeConfig[]
}

export function planReload(current: readonly BridgeConfig[], next: readonly BridgeConfig[]): ReloadPlan {
  const before = new Map(current.map((config) => [config.queue, config]))
  const after = new Set(next.map(({ queue }) => queue))
  const isSame = (config: BridgeConfig): boolean => isDeepStrictEqual(config, before.get(config.queue))
  const known = next.filter(({ queue }) => before.has(queue))
  return {
    added: next.filter(({ queue }) => !before.has(queue)),
    changed: known.filter((config) => !isSame(config)),
    same: known.filter(isSame),
    gone: current.filter(({ queue }) => !after.has(queue)),
  }
}

/** The options behind what a running process cannot change. */
const FIXED = {
  brokers: '--url, --tls-*',
  daemonId: '--daemon-id',
  logLevel: '--log-level',
  logFormat: '--log-format',
  admin: '--admin, --admin-*',
  control: '--control',
  instances: '--instances',
  maxMessages: '--max-messages',
  maxMemory: '--max-memory',
  recordFile: '--record-file',
} as const satisfies Partial<Record<keyof ProcessConfig, string>>

/** @returns the options that are otherwise now, and stay as they were until a restart */
export function keptOptions(current: ProcessConfig, next: ProcessConfig): readonly string[] {
  const keys = Object.keys(FIXED) as (keyof typeof FIXED)[]
  return keys.filter((key) => !isDeepStrictEqual(current[key], next[key])).map((key) => FIXED[key])
}
