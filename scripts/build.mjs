// @ts-check
/**
 * Builds dist/ afresh, then fails where package.json and the sources disagree on what can be imported.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { exportProblems } from './exports-map.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

// A file left from an older build would hide that its source is gone.
rmSync('dist', { recursive: true, force: true })

const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const compiler = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
if (compiler.status !== 0) process.exit(compiler.status ?? 1)

const sourceFiles = readdirSync('src', { recursive: true }).map(
  (file) => `src/${String(file).replaceAll('\\', '/')}`,
)
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
const problems = exportProblems(exports, sourceFiles, existsSync)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
console.log(`built dist/: ${Object.keys(exports).join(' ')}`)
