import { COMPLETED, type Contestant, script } from './contestants.ts'
import { residentBytes } from './cpu.ts'
import { emptied, reached } from './drain.ts'
import { progress } from './progress.ts'
import type { Stage } from './stage.ts'

export interface Memory {
  readonly messages: number
  /** Bytes resident when each tenth of the messages was done: ten figures. */
  readonly resident: readonly number[]
}

/** The daemon's memory over one long run. */
export async function memory(
  stage: Stage,
  messages: number,
  contestant: Contestant = COMPLETED,
  onTenth: () => void = () => {},
): Promise<Memory> {
  progress(`memory: publishing ${messages} messages`)
  await stage.queue.fill(messages)
  const processes = await stage.start(contestant, stage.place(script('worker')))
  try {
    const pid = processes[0]?.pid ?? 0
    const resident: number[] = []
    for (let tenth = 1; tenth <= 10; tenth += 1) {
      progress(`memory: ${tenth - 1} of 10 parts of ${messages} messages`)
      await reached(stage, processes, messages * (1 - tenth / 10))
      resident.push(residentBytes(pid))
      onTenth()
    }
    await emptied(stage, processes)
    await stage.stop(processes)
    return { messages, resident }
  } finally {
    for (const owned of processes) await owned.kill()
  }
}
