/** Values as PHP and php-fpm write them. */

/** PHP takes `on`, `yes` and `true` for 1, and `stdout` where something is displayed. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(?:[1-9]\d*|on|yes|true|stdout)$/i.test(value.trim())
}

const [KIB, MIB, GIB] = [1024, 1024 ** 2, 1024 ** 3] as const
const UNITS: Readonly<Record<string, number>> = { k: KIB, m: MIB, g: GIB }

/** @returns bytes: of `8M`, 8,388,608; NaN for what is none */
export function bytesOf(value: string | undefined): number {
  const [, number, unit = ''] = /^\s*(-?\d+)\s*([kmg]?)b?\s*$/i.exec(value ?? '') ?? []
  return Number(number ?? Number.NaN) * (UNITS[unit.toLowerCase()] ?? 1)
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** @returns milliseconds: of php-fpm's `24m`, 1,440,000; 0 for none at all */
export function fpmTimeOf(value: string | undefined): number {
  const [, number = '0', unit = 's'] = /^\s*(\d+)\s*([smhd]?)\s*$/.exec(value ?? '') ?? []
  return Number(number) * (SECONDS[unit || 's'] ?? 1) * 1_000
}

/** Bytes as php.ini takes them, rounded up to whole units: `128M`. */
export function iniSize(bytes: number): string {
  return bytes % GIB === 0 ? `${bytes / GIB}G` : `${Math.ceil(bytes / MIB)}M`
}

/** Milliseconds as php-fpm takes them, rounded down: `24m`, `90s`. */
export function fpmTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000)
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}
