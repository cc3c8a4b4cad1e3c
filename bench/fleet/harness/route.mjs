/**
 * A TCP route to a Redis server on `targetPort`, in this process.
 *
 * `open`: everything passes. `silent`: nothing passes, not even the end of a connection, as where all packets are dropped;
 * what was sent comes late. `feed silent`: that for connections on which the change feed is read. `closed`: all connections
 * end, and new ones do at once.
 */
import { connect, createServer } from 'node:net'

export async function startRoute(targetPort) {
  let state = 'open'
  const lines = new Set()
  const server = createServer((near) => {
    if (state === 'closed') {
      near.destroy()
      return
    }
    const far = connect(targetPort, '127.0.0.1')
    const line = { near, far, isFeed: false }
    lines.add(line)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.on('error', () => {})
      from.on('close', () => {
        lines.delete(line)
        to.destroy()
      })
      from.pipe(to)
    }
    near.on('data', (chunk) => {
      if (line.isFeed || !chunk.includes('XREAD')) return
      line.isFeed = true
      apply(line)
    })
    apply(line)
  })
  const apply = ({ near, far, isFeed }) => {
    const isSilent = state === 'silent' || (state === 'feed silent' && isFeed)
    for (const socket of [near, far]) isSilent ? socket.pause() : socket.resume()
    if (state === 'closed') near.destroy()
  }
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${server.address().port}`,
    set(next) {
      state = next
      for (const line of [...lines]) apply(line)
    },
    close() {
      server.close()
      for (const { near, far } of [...lines]) for (const socket of [near, far]) socket.destroy()
    },
  }
}
