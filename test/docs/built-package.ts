/** The package as a user gets it: tests of it must not pass on an absent or outdated dist/. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The package's folder, with a `/` at its end; throws where dist/ is missing or older than a source. */
export function builtPackage(): string {
  if (!existsSync(`${ROOT}dist/index.js`)) throw new Error('dist/ is missing: run `npm run build` first')
  const built = statSync(`${ROOT}dist/index.js`).mtimeMs
  const newer = readdirSync(`${ROOT}src`, { recursive: true })
    .map(String)
    .filter((path) => /(?<!\.test)\.tsx?$/.test(path))
    .find((path) => statSync(`${ROOT}src/${path}`).mtimeMs > built)
  if (newer) throw new Error(`src/${newer} is newer than dist/: run \`npm run build\` first`)
  return ROOT
}
