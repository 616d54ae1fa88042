import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'

/*
 * docker/bridge/Dockerfile without a Docker engine: each stage is a folder, COPY copies, RUN runs, all with the
 * context that .dockerignore leaves. What this cannot see: the base image, its Node version, USER and the kernel's
 * part of a container.
 */

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(repository, path), 'utf8')

interface Image {
  /** The folder that stands for `/`. */
  readonly root: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
}

/** The instructions of a Dockerfile, comments removed and continued lines joined. */
function instructions(dockerfile: string): [name: string, rest: string][] {
  return dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()])
}

/** Whether the last matching line of .dockerignore lets a path in. Enough of its syntax for ours: `*` and plain paths. */
function inContext(path: string): boolean {
  const last = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .findLast((line) => line === '*' || path === line.slice(1) || path.startsWith(`${line.slice(1)}/`))
  return last?.startsWith('!') ?? true
}

/** Copies what git would give a fresh clone, and what is new and not ignored, as far as .dockerignore lets it. */
async function makeContext(folder: string): Promise<void> {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const { stdout } = await run('git', list, { cwd: repository })
  for (const path of stdout.split('\0').filter((each) => each !== '' && inContext(each))) {
    if (existsSync(join(repository, path))) cpSync(join(repository, path), join(folder, path))
  }
}

/** COPY: a folder's contents, or a file into a folder whose name ends in a slash. */
function copy(from: string, to: string, sources: readonly string[], target: string): void {
  for (const source of sources) {
    const destination = target.endsWith('/') ? join(to, target, basename(source)) : join(to, target)
    cpSync(join(from, source), destination, { recursive: true })
  }
}

async function build(dockerfile: string, folder: string): Promise<Image> {
  const context = join(folder, 'context')
  await makeContext(context)
  const stages = new Map<string, string>()
  const json = { ENTRYPOINT: [] as string[], CMD: [] as string[] }
  let root = context
  let workdir = '/'
  for (const [name, rest] of instructions(dockerfile)) {
    const words = rest.split(/\s+/)
    if (name === 'FROM') {
      root = join(folder, `stage-${stages.size}`)
      stages.set(words[2] ?? 'last', root)
    } else if (name === 'WORKDIR') {
      workdir = rest
      mkdirSync(join(root, workdir), { recursive: true })
    } else if (name === 'COPY') {
      const stage = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
      const from = stage === undefined ? context : (stages.get(stage) ?? '')
      copy(from, join(root, workdir), words.slice(0, -1), words.at(-1) ?? '')
    } else if (name === 'RUN') {
      const env = { ...process.env, npm_config_prefer_offline: 'true' }
      await run('sh', ['-c', rest], { cwd: join(root, workdir), env })
    } else if (name === 'ENTRYPOINT' || name === 'CMD') {
      json[name] = JSON.parse(rest)
    } else if (!['ARG', 'LABEL', 'ENV', 'USER', 'STOPSIGNAL'].includes(name)) {
      throw new Error(`This test does not know ${name}`)
    }
  }
  return { root, entrypoint: json.ENTRYPOINT, command: json.CMD }
}

describe('the image of the bridge', () => {
  const folder = temporaryFolder('image')
  let image: Image

  /** Starts the entry point as the container would, but for the folder that stands for `/`. */
  function start(...args: readonly string[]) {
    const [program = '', ...rest] = image.entrypoint
    const words = rest.map((word) => (word.startsWith('/') ? join(image.root, word) : word))
    return run(program, [...words, ...args], { cwd: image.root, env: { PATH: process.env['PATH'] } })
  }

  beforeAll(async () => {
    image = await build(read('docker/bridge/Dockerfile'), folder)
  }, 240_000)
  afterAll(() => removeFolder(folder))

  it('starts and tells its version', async () => {
    const { stdout } = await start('--version')
    expect(stdout.trim()).toBe(JSON.parse(read('package.json')).version)
  })

  it('runs the command of its CMD, which knows every setting of docker-compose.yml', async () => {
    const { stdout } = await start(...image.command, '--help')
    const { services } = parse(read('docker-compose.yml'), { merge: true })
    for (const name of Object.keys(services.bridge.environment)) {
      const option = name.replace('FPM_BRIDGE_', '--').toLowerCase().replaceAll('_', '-')
      expect(stdout).toMatch(new RegExp(`${option}\\b`))
    }
  })

  it('has the command that docker-compose.yml publishes with', async () => {
    const { services } = parse(read('docker-compose.yml'), { merge: true })
    const [command] = services.publish.entrypoint.slice(image.entrypoint.length)
    expect(services.publish.entrypoint).toEqual([...image.entrypoint, command])
    expect((await start(command, '--help')).stdout).toContain(command)
  })

  it('has every package it needs and no other', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dev?: boolean }>
    }
    const installed = (path: string) => existsSync(join(image.root, 'app', path))
    const paths = Object.keys(packages).filter((path) => path !== '')
    expect(paths.filter(installed)).toEqual(paths.filter((path) => packages[path]?.dev !== true))
  })

  it('holds neither sources nor tests', () => {
    const left = ['src', 'test', 'tsconfig.json', '.git'].filter((path) =>
      existsSync(join(image.root, 'app', path)),
    )
    expect(left).toEqual([])
  })
})

describe('docker-compose.yml', () => {
  it('is accepted by docker compose, where there is one', async ({ skip }) => {
    const compose = await run('docker', ['compose', 'version']).catch(() => undefined)
    if (compose === undefined) skip('no docker compose here')
    await expect(run('docker', ['compose', 'config', '--quiet'], { cwd: repository })).resolves.toBeDefined()
  })
})
