import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readOptions as readCutOptions } from '../../chaos/cuts/options.ts'
import { readOptions } from '../../chaos/options.ts'
import { readOptions as readFigureOptions } from '../../figures/options.ts'

const start = fileURLToPath(new URL('../../chaos/start.mjs', import.meta.url))

describe('the options of npm run chaos', () => {
  it('have defaults, and a seed that is made up', () => {
    expect(readOptions([])).toMatchObject({
      mode: 'completed',
      messages: 100_000,
      faults: 100,
      queueType: 'classic',
    })
    expect(readOptions([]).seed).not.toBe(readOptions([]).seed)
    expect(readOptions(['--seed', '7', '--only', 'pool killed, link reset'])).toMatchObject({
      seed: 7,
      only: ['pool killed', 'link reset'],
    })
  })

  it.each([
    { args: ['--rate', '0'], message: '--rate takes a whole number from 1 to 5000.' },
    { args: ['--faults', 'many'], message: '--faults takes a whole number from 0 to 10000.' },
    { args: ['--only', 'pool killed,rain'], message: '--only rain is none of broker killed, ' },
    {
      args: ['--mode', 'dispatched', '--only', 'application broken'],
      message: '--only application broken does not occur with --mode dispatched.',
    },
    { args: ['--mode', 'sometimes'], message: 'Invalid values' },
    { args: ['--sede', '7'], message: 'Unknown argument: sede' },
  ])('refuse $args with one line and exit code 64', ({ args, message }) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [start, 'chaos', ...args], {
      encoding: 'utf8',
    })
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(status).toBe(64)
  })
})

describe('the options of the other commands', () => {
  it('have defaults: everything', () => {
    expect(readCutOptions([])).toMatchObject({ modes: ['completed', 'dispatched'], rounds: 78 })
    expect(readCutOptions([]).deeds).toHaveLength(6)
    expect(readFigureOptions([]).only).toContain('reload')
  })

  it('take names, separated by commas', () => {
    const cuts = readCutOptions(['--mode', 'dispatched', '--only', 'pool killed, link reset', '--seed', '7'])
    expect(cuts).toMatchObject({ modes: ['dispatched'], deeds: ['pool killed', 'link reset'], seed: 7 })
    expect(readFigureOptions(['--only', 'poison,reload']).only).toEqual(['poison', 'reload'])
  })

  it.each([
    { command: 'cuts', args: ['--only', 'rain'], message: '--only rain is none of daemon killed, ' },
    { command: 'figures', args: ['--only', 'rain'], message: '--only rain is none of reload, ' },
  ])('refuse $command $args with one line and exit code 64', ({ command, args, message }) => {
    const { status, stderr } = spawnSync(process.execPath, [start, command, ...args], { encoding: 'utf8' })
    expect(stderr).toContain(message)
    expect(status).toBe(64)
  })
})
