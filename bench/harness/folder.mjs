/** An empty folder of a process's own, gone when the process ends. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function emptyFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'stackquery-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
