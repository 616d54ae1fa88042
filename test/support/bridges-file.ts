import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { temporaryFolder } from './run-folder.ts'

/** A bridge as the file has it, by the names of the options. */
export type BridgeEntry = Readonly<Record<string, string | number | boolean>>

/** A configuration file of several bridges, which can be written again. */
export class BridgesFile {
  readonly path = join(temporaryFolder('config'), 'fpm-bridge.yaml')
  readonly #common: BridgeEntry

  /** @param common what stands at the top */
  constructor(common: BridgeEntry, bridges: readonly BridgeEntry[]) {
    this.#common = common
    this.write(bridges)
  }

  /** @param more at the top, for this time */
  write(bridges: readonly BridgeEntry[], more: BridgeEntry = {}): void {
    writeFileSync(this.path, stringify({ ...this.#common, ...more, bridges }))
  }

  writeText(text: string): void {
    writeFileSync(this.path, text)
  }
}
