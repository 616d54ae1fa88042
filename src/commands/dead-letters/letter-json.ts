import { escapeInvisibleInJson } from '../../observe/invisible.ts'

/** Members that are milliseconds since the epoch. */
const TIMES: readonly string[] = ['time', 'firstSeen', 'lastSeen']

/** A line of standard output: names in snake_case, times as ISO 8601, and what is unknown left out. */
export function sayJson(value: object): void {
  const members = Object.entries(value).map(([name, member]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    TIMES.includes(name) && typeof member === 'number' ? new Date(member).toISOString() : member,
  ])
  process.stdout.write(`${escapeInvisibleInJson(JSON.stringify(Object.fromEntries(members)))}\n`)
}
