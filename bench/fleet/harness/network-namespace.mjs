/**
 * A network namespace with one link to this one; `cut` takes the link down on this side, so that every packet of both
 * directions is dropped and neither side is told. Needs root and `ip`.
 */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

export async function namespaced() {
  const name = `sq${process.pid}`
  const [near, far] = [`${name}a`, `${name}b`]
  const net = 100 + (process.pid % 100)
  ip('netns', 'add', name)
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name)
  ip('addr', 'add', `10.213.${net}.1/24`, 'dev', near)
  ip('link', 'set', near, 'up')
  ip('-n', name, 'addr', 'add', `10.213.${net}.2/24`, 'dev', far)
  ip('-n', name, 'link', 'set', far, 'up')
  ip('-n', name, 'link', 'set', 'lo', 'up')
  const folder = mkdtempSync(join(tmpdir(), 'stackquery-netns-'))
  // What `fork` starts in the place of Node: its channel is inherited.
  const execPath = join(folder, 'node')
  writeFileSync(execPath, `#!/bin/sh\nexec ip netns exec ${name} ${process.execPath} "$@"\n`)
  chmodSync(execPath, 0o755)
  return {
    execPath,
    redisArgs: ['--bind', '0.0.0.0', '--protected-mode', 'no'],
    url: (port) => `redis://10.213.${net}.1:${port}`,
    cut: () => ip('link', 'set', near, 'down'),
    heal: () => ip('link', 'set', near, 'up'),
    close() {
      ip('link', 'del', near)
      ip('netns', 'del', name)
      rmSync(folder, { recursive: true })
    },
  }
}
