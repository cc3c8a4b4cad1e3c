import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { builtPackage } from '../docs/built-package.ts'

const CLIENT = `
  const { QueryClient } = await import(${JSON.stringify(`${builtPackage()}dist/index.js`)})
  new QueryClient()
`
const SUBCLASS = 'class Subclass extends String {}'

/** Whether V8 has the methods of strings in its fast mode after that. */
function areFastAfter(...steps: string[]): string {
  const source = `${steps.join('\n')}\nprocess.stdout.write(String(%HasFastProperties(String.prototype)))`
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', source]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return stdout + stderr
}

// Once the first is no longer so, V8 needs no client for it, and all of this can go.
test.each([
  ['a subclass of String makes the methods of all strings slow', [SUBCLASS], 'false'],
  ['a client makes them fast again', [SUBCLASS, CLIENT], 'true'],
  ['and keeps them so', [CLIENT, SUBCLASS, 'new Subclass("x").length'], 'true'],
])('%s', (_, steps, areFast) => {
  expect(areFastAfter(...steps)).toBe(areFast)
})
