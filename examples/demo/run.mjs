// @ts-check
/**
 * `npm run demo`: compiles what is missing or outdated, then becomes the demo. One process from npm down to it, so
 * that a signal has nobody to get lost in.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')
const MAIN = join(ROOT, '.cache/demo/main.js')

if (!existsSync(TSC)) {
  console.error('The demo needs the dev dependencies: run `npm ci` first.')
  process.exit(1)
}
ensureBuilt('the package', join(ROOT, 'dist/index.js'), join(ROOT, 'src'), ['scripts/build.mjs'])
ensureBuilt('the demo', MAIN, join(ROOT, 'examples/demo'), [TSC, '-p', 'examples/demo'])
await import(pathToFileURL(MAIN).href)

/** @param {string} what @param {string} built @param {string} sources @param {string[]} command */
function ensureBuilt(what, built, sources, command) {
  const builtAt = existsSync(built) ? statSync(built).mtimeMs : 0
  const isOutdated = readdirSync(sources, { recursive: true })
    .map((name) => join(sources, String(name)))
    .some((path) => /(?<!\.test)\.(ts|json)$/.test(path) && statSync(path).mtimeMs > builtAt)
  if (!isOutdated) return
  console.error(`Building ${what} …`)
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' })
  if (status === 0) return
  console.error(`${stdout}${stderr}\nBuilding ${what} failed.`)
  process.exit(1)
}
