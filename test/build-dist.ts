/** Builds `dist` before the tests: threads and child processes cannot load TypeScript on Node 20. */

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export default function buildDist(): void {
  const root = fileURLToPath(new URL('..', import.meta.url))
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
}
