import { whatWasMeant } from './did-you-mean.ts'
import { environmentName, OPTIONS } from './options.ts'

const PREFIX = environmentName('')

/** Names that are told; nobody reads more. */
const MANY = 10

/** What Kubernetes gives every container of a namespace that has a service whose name begins with ours. */
const OF_A_SERVICE =
  /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/

/** What is no name may be a value, in the wrong place. */
const NAME = /^[\w.-]{1,100}$/

/**
 * The variables that begin like those of options, have a value, and are read by nobody: a misspelt one is as good as none, and where
 * a flag or a key in the file would be refused, others may have reasons for a variable.
 *
 * @returns their names, sorted, each with what may have been meant; at most 11 texts
 */
export function unreadVariables(environment: NodeJS.ProcessEnv): readonly string[] {
  const suspects = Object.keys(environment).filter((name) => name.startsWith(PREFIX) && environment[name])
  const readable = OPTIONS.filter(({ scope }) => scope !== 'command-line')
  const read = readable.flatMap(({ name, secret }) => (secret ? [name, `${name}-file`] : [name]))
  const known = new Set(read.map(environmentName))
  const unread = suspects
    .filter((name) => !known.has(name) && !OF_A_SERVICE.test(name) && NAME.test(name))
    .toSorted()
  const told = unread.slice(0, MANY).map((name) => described(name, read))
  return unread.length > MANY ? [...told, `${unread.length - MANY} more`] : told
}

function described(variable: string, read: readonly string[]): string {
  const word = variable.slice(PREFIX.length)
  const flag = OPTIONS.find(
    ({ name, scope }) => scope === 'command-line' && environmentName(name) === variable,
  )
  if (flag !== undefined) return `${variable} (--${flag.name} is for the command line alone)`
  const ofFile = read.find((name) => `${environmentName(name)}_FILE` === variable)
  if (ofFile !== undefined) return `${variable} (${environmentName(ofFile)} is not read from a file)`
  const meant = whatWasMeant(word, read)
  return meant === undefined ? variable : `${variable} (did you mean ${environmentName(meant)}?)`
}
