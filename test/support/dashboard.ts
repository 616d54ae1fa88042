import { readFileSync } from 'node:fs'

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[]
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string | { readonly query: string }
}

export interface Dashboard {
  readonly uid: string
  readonly id: null
  readonly schemaVersion: number
  readonly templating: { readonly list: readonly Variable[] }
  readonly panels: readonly Panel[]
}

/** docker/grafana/fpm-bridge.json */
export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(new URL('../../docker/grafana/fpm-bridge.json', import.meta.url), 'utf8'))
}

/** What the panels ask Prometheus, with the panel's title. */
export function expressionsOf({
  panels,
}: Dashboard): readonly (readonly [title: string, expression: string])[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const))
}
