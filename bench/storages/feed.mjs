/**
 * How soon a process hears through the feed of a local storage what another appends, and what following costs at rest.
 *
 *   npm run build && node bench/storages/feed.mjs [sqlite|disk]
 *
 * One process appends the time, now and then; eight follow. With "under load" each follower writes as well.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DiskCacheStorage } from '../../dist/storages/disk/index.js'
import { SQLiteStorage } from '../../dist/storages/sqlite/index.js'

const FOLLOWERS = 8
const MESSAGES = Number(process.env.MESSAGES ?? 200)
const [kind = 'sqlite', path, isLoaded] = process.argv.slice(2)
const open = (place) => (kind === 'disk' ? new DiskCacheStorage(place) : new SQLiteStorage(place))
const now = () => performance.timeOrigin + performance.now()

if (path !== undefined) {
  const storage = open(path)
  const delays = []
  await storage.feed.follow(
    (messages) => delays.push(...messages.map((message) => now() - Number(message))),
    (reason) => process.send({ gap: reason }),
  )
  await sleep(3_000)
  const before = process.cpuUsage()
  const from = performance.now()
  await sleep(5_000)
  const { user, system } = process.cpuUsage(before)
  process.send({ idle: (user + system) / 10 / (performance.now() - from) })
  let isOver = false
  process.once('message', () => {
    isOver = true
  })
  for (let i = 0; !isOver; i++) {
    if (isLoaded === 'loaded') await storage.set(`key ${i % 1_000}`, 'x'.repeat(500), 60_000)
    await sleep(2)
  }
  await storage.close()
  process.send({ delays }, () => process.disconnect())
} else {
  for (const load of ['idle', 'loaded']) {
    const directory = mkdtempSync(join(tmpdir(), 'feed-'))
    const file = join(directory, 'cache')
    const children = Array.from({ length: FOLLOWERS }, () =>
      fork(fileURLToPath(import.meta.url), [kind, file, load]),
    )
    const answers = () =>
      Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))))
    const idle = (await answers()).map((answer) => answer.idle)
    const storage = open(file)
    // The first write of a process starts its thread.
    await storage.set('warm', 'up')
    for (let i = 0; i < MESSAGES; i++) {
      await storage.feed.append([String(now())])
      await sleep(100 * Math.random())
    }
    await sleep(300)
    const results = answers()
    for (const child of children) child.send('end')
    const delays = (await results).flatMap((answer) => answer.delays).sort((a, b) => a - b)
    const at = (share) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))].toFixed(1)
    const cpu = idle.map((share) => share.toFixed(2)).join(' ')
    console.log(`${kind}, ${load}: heard ${delays.length} of ${MESSAGES * FOLLOWERS}`)
    console.log(
      `  delay in ms: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}; CPU of each at rest in %: ${cpu}`,
    )
    await storage.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
