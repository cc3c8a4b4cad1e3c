/**
 * Gives the test run one Redis server: the one of REDIS_URL, else one of its own.
 *
 * Where none can be had the run still starts, and every test that asks for it through `redisUrl()` fails with
 * what to do: someone without Redis can run the rest, and nobody skips in silence.
 */
import type { TestProject } from 'vitest/node'
import { answersPing, startRedisServer } from './redis-server.ts'
import './redis-url.ts'

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['REDIS_URL']
  if (given) {
    project.provide('redis', await checked(given))
    return undefined
  }
  try {
    const server = await startRedisServer()
    project.provide('redis', { url: server.url })
    return () => server.stop()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    process.stderr.write(`\n${reason}\n\n`)
    project.provide('redis', { reason })
    return undefined
  }
}

async function checked(url: string): Promise<{ url: string } | { reason: string }> {
  if (!URL.canParse(url)) return { reason: `REDIS_URL is ${JSON.stringify(url)}: expected redis://host:port` }
  const { protocol, hostname, port } = new URL(url)
  // A TLS server does not answer a plain PING: its tests will tell.
  if (protocol === 'rediss:' || (await answersPing(Number(port || 6379), hostname, 5_000))) return { url }
  return { reason: `REDIS_URL is ${url}, and nothing that speaks Redis answers there.` }
}
