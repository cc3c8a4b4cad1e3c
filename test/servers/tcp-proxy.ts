/**
 * A TCP proxy in this process, to cut one client off while others reach the server.
 *
 * `silent` is a route that drops every packet: connections stay, are even accepted, and nothing passes, in either
 * direction; what was sent meanwhile is lost when it ends, as is each connection that lived through it.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** Connections that were ever made to it. */
  readonly accepted: number
  setSilent(isSilent: boolean): void
  close(): void
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let isSilent = false
  let accepted = 0
  const pairs = new Set<{ sockets: readonly Socket[]; wasSilent: boolean }>()
  const server = createServer((near) => {
    accepted++
    const far = connect(targetPort, '127.0.0.1')
    const pair = { sockets: [near, far], wasSilent: isSilent }
    pairs.add(pair)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => undefined)
      from.on('data', (data) => {
        if (!isSilent && !pair.wasSilent) to.write(data)
      })
      from.on('close', () => {
        if (to.destroyed) pairs.delete(pair)
        // The end of a connection does not pass a silent route either.
        else if (!pair.wasSilent) to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = (pair: { sockets: readonly Socket[] }) => {
    for (const socket of pair.sockets) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    get accepted() {
      return accepted
    },
    setSilent(silent) {
      isSilent = silent
      for (const pair of pairs) {
        if (silent) pair.wasSilent = true
        // A real route would let what the kernels kept through, late; what was lost here cannot be.
        else if (pair.wasSilent) drop(pair)
      }
    },
    close() {
      server.close()
      for (const pair of pairs) drop(pair)
    },
  }
}
