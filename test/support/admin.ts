import { request } from 'node:http'

/** Where an admin server listens: `127.0.0.1:port`, or the path of a socket. */
export type Where = string

export interface AdminAnswer {
  readonly status: number
  readonly type: string | undefined
  readonly body: string
}

/** Asks an admin server for a page, on a connection of its own. */
export function ask(
  where: Where,
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<AdminAnswer> {
  const [host, port] = where.split(':')
  const to = where.startsWith('/') ? { socketPath: where } : { host, port }
  return new Promise((resolve, reject) => {
    const asked = request({ ...to, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, headers: answered } = response
        resolve({
          status: statusCode,
          type: answered['content-type'],
          body: Buffer.concat(chunks).toString(),
        })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** The samples of Prometheus' text format, by name and labels as they are written. */
export function samples(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1))]
    }),
  )
}

/** The samples of /metrics. */
export async function scrape(where: Where): Promise<ReadonlyMap<string, number>> {
  return samples((await ask(where, '/metrics')).body)
}
