/** The files of src/ with what they import, read once per test file. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importsOf } from './imports.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface SourceFile {
  /** Relative to src/, with `/`. */
  readonly path: string
  readonly text: string
  readonly imports: readonly SourceImport[]
}

export interface SourceImport {
  readonly specifier: string
  readonly line: number
  /** Relative to src/; undefined where the specifier is a package's. Starts with `../` outside of src/. */
  readonly target: string | undefined
}

/** Every TypeScript file of src/ but the tests, which may import what they like. */
export function readSources(): SourceFile[] {
  return readdirSync(`${ROOT}src`, { recursive: true })
    .map((path) => String(path).replaceAll('\\', '/'))
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path))
    .sort()
    .map((path) => {
      const text = readFileSync(`${ROOT}src/${path}`, 'utf8')
      return {
        path,
        text,
        imports: importsOf(text, path).map((found) => ({
          ...found,
          target: targetOf(path, found.specifier),
        })),
      }
    })
}

function targetOf(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(dirname(from), specifier) : undefined
}

/** The groups of files that import each other in a circle, each as one path that closes: a, b, a. */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) {
      circles.push([...path.slice(at), file])
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const next of graph.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return circles
}
