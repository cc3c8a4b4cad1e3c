/** README's figures are those that were measured: `node bench/report.mjs` makes them. */

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the figures of README are those of bench/results/latest.json', () => {
  const report = fileURLToPath(new URL('../../bench/report.mjs', import.meta.url))
  expect(() => execFileSync(process.execPath, [report, '--check'], { stdio: 'pipe' })).not.toThrow()
})
