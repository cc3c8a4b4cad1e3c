/** A copy of the sources and of the model with one bug in it, under `.cache/`, never in the work tree. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type RunResult, runModel } from '../run.ts'
import type { Mutation } from './mutation-list.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Runs the model over a mutant until it is caught, or `runs` schedules have passed. */
export async function hunt(
  mutation: Mutation,
  runs: number,
  seed: number,
  shards: number,
): Promise<RunResult> {
  const folder = `${ROOT}.cache/mutants/${mutation.name.replace(/\W+/g, '-')}`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(`${folder}/test`, { recursive: true })
  try {
    cpSync(`${ROOT}src`, `${folder}/src`, { recursive: true })
    cpSync(`${ROOT}test/model`, `${folder}/test/model`, { recursive: true })
    for (const file of ['typescript-loader.mjs', 'typescript-hooks.mjs'])
      cpSync(`${ROOT}test/${file}`, `${folder}/test/${file}`)
    const path = `${folder}/src/${mutation.file}`
    writeFileSync(path, mutated(readFileSync(path, 'utf8'), mutation))
    return await runModel({ runs, seed, shards, shrinks: false, file: `${folder}/test/model/run.ts` })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function mutated(source: string, { name, file, find, replace }: Mutation): string {
  const parts = source.split(find)
  if (parts.length !== 2) {
    throw new Error(
      `"${name}": ${file} has ${parts.length - 1} places like ${JSON.stringify(find)}; expected 1.`,
    )
  }
  return parts.join(replace)
}
