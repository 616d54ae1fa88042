import { type Key, keysIn } from './keys.ts'
import type { Line, Size } from './line.ts'

/** Of xterm and its kind (ctlseqs): a page of its own without a cursor, and back. */
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[0m\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const REST_OF_LINE = '\u001b[K'
const REST_OF_PAGE = '\u001b[J'

/** ECMA-48, SGR: no colour of our own, so each theme can be read. */
const STYLES: Readonly<Record<NonNullable<Line['style']>, string>> = {
  strong: '\u001b[1m',
  selected: '\u001b[7m',
  alarm: '\u001b[1;31m',
}
const PLAIN = '\u001b[0m'

/** What the screen is told. */
export interface ScreenListener {
  press(key: Key): void
  /** The size is another one, or the picture is gone. */
  redraw(): void
  /** Nobody is there to type any more. */
  end(): void
}

/** The terminal, as long as it is ours. However the process ends, but for SIGKILL, it gets back what it was. */
export class Screen {
  readonly #input: NodeJS.ReadStream
  readonly #output: NodeJS.WriteStream
  readonly #styled: boolean
  readonly #listener: ScreenListener
  #isOurs = false
  #isClosed = false
  readonly #leave = (): void => this.#giveBack()
  readonly #suspend = (): void => this.suspend()
  readonly #goOn = (): void => this.#take()
  readonly #resized = (): void => this.#listener.redraw()
  readonly #ended = (): void => this.#listener.end()
  readonly #typed = (text: string): void => {
    for (const key of keysIn(text)) if (!this.#isClosed) this.#listener.press(key)
  }

  /** @param styled whether lines may be bold, inverted and red */
  constructor(
    input: NodeJS.ReadStream,
    output: NodeJS.WriteStream,
    styled: boolean,
    listener: ScreenListener,
  ) {
    this.#input = input
    this.#output = output
    this.#styled = styled
    this.#listener = listener
  }

  /** The terminal is ours from now on. */
  open(): void {
    const [input, output] = [this.#input, this.#output]
    process.on('exit', this.#leave)
    // Before whoever tells of it: what is written to our page goes with it.
    process.prependListener('uncaughtException', this.#leave)
    process.on('SIGTSTP', this.#suspend)
    process.on('SIGCONT', this.#goOn)
    output.on('resize', this.#resized)
    input.on('end', this.#ended)
    input.on('error', this.#ended)
    input.setEncoding('utf8')
    input.on('data', this.#typed)
    this.#take()
  }

  get size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 }
  }

  /** One that cannot be taken yet is left out: another one follows. */
  show(lines: readonly Line[]): void {
    if (!this.#isOurs || this.#output.writableNeedDrain) return
    const painted = lines.map((line) => this.#paint(line) + REST_OF_LINE)
    this.#output.write(`${HOME}${painted.join('\r\n')}${REST_OF_PAGE}`)
  }

  /** The shell gets its terminal back until it lets us go on. */
  suspend(): void {
    this.#giveBack()
    process.kill(process.pid, 'SIGSTOP')
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#giveBack()
    process.off('exit', this.#leave)
    process.off('uncaughtException', this.#leave)
    process.off('SIGTSTP', this.#suspend)
    process.off('SIGCONT', this.#goOn)
    this.#output.off('resize', this.#resized)
    this.#input.off('end', this.#ended)
    this.#input.off('error', this.#ended)
    this.#input.off('data', this.#typed)
    this.#input.pause()
  }

  #paint({ text, style }: Line): string {
    return this.#styled && style !== undefined ? `${STYLES[style]}${text}${PLAIN}` : text
  }

  #take(): void {
    if (this.#isClosed) return
    // After a stop the terminal may be what the shell has made of it, though we have left it as it was.
    this.#input.setRawMode(false)
    this.#input.setRawMode(true)
    this.#output.write(ENTER)
    this.#isOurs = true
    this.#listener.redraw()
  }

  #giveBack(): void {
    if (!this.#isOurs) return
    this.#isOurs = false
    this.#output.write(LEAVE)
    this.#input.setRawMode(false)
  }
}
