/** Whether a data file can be given to LMDB, which maps it and trusts it. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { dataFileOf } from './directory.ts'

export function inspectDataFile(directory: string): string | undefined {
  let file: number
  try {
    file = openSync(dataFileOf(directory), 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { size } = fstatSync(file)
    const head = Buffer.alloc(64)
    readSync(file, head, 0, 64, 0)
    return size > 0 && head.readUInt32LE(24) !== 0xbeefc0de ? 'no magic' : undefined
  } finally {
    closeSync(file)
  }
}
