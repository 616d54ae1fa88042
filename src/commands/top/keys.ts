export type Key =
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last'
  | 'pause'
  | 'resume'
  | 'yes'
  | 'no'
  | 'redraw'
  | 'suspend'
  | 'quit'

/** What terminals send. Ctrl-C and Ctrl-Z are no signals while keys are read one by one. */
const KEYS: Readonly<Record<string, Key>> = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  k: 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  j: 'down',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
  ' ': 'page-down',
  '\u001b[H': 'first',
  '\u001b[1~': 'first',
  g: 'first',
  '\u001b[F': 'last',
  '\u001b[4~': 'last',
  G: 'last',
  p: 'pause',
  r: 'resume',
  y: 'yes',
  n: 'no',
  '\u000c': 'redraw',
  '\u001a': 'suspend',
  q: 'quit',
  Q: 'quit',
  '\u0003': 'quit',
  '\u0004': 'quit',
}

/** An escape sequence (ECMA-48, section 5.4), or one character. */
const PRESSED = /\p{Cc}[[O][0-9;]*[A-Za-z~]|./gsu

/** The keys in what has come from a terminal, which may be several at once; any other answers a question with no. */
export function keysIn(text: string): readonly Key[] {
  return (text.match(PRESSED) ?? []).map((pressed) => KEYS[pressed] ?? 'no')
}
