/** Reads a closed cache's file with the bare driver and holds it against the invariants of `Ledger`. */

import { open } from 'lmdb'
import { inspectDataFile } from '../../../src/storages/disk/inspect-data-file.ts'
import { RowView } from '../../../src/storages/disk/row.ts'

/** What is wrong with it; nothing = sound. */
export async function audit(directory: string): Promise<string[]> {
  const damage = inspectDataFile(directory)
  if (damage !== undefined) return [damage]
  const root = open({ path: directory, noSubdir: false, maxDbs: 16, maxReaders: 1_000 })
  const trees = ['values', 'order', 'expiry', 'chunks'] as const
  const [values, order, expiry, chunks] = trees.map((name) =>
    root.openDB<Buffer, Buffer>({ name, keyEncoding: 'binary', encoding: 'binary' }),
  )
  const faults: string[] = []
  let expiring = 0
  let parts = 0
  for (const { key, value } of values!.getRange()) {
    const row = new RowView(value)
    if (!order!.get(double(row.rank))?.equals(key)) faults.push(`row ${key} is not in the order`)
    if (row.expiresAt !== Infinity) {
      expiring++
      const entry = Buffer.concat([double(row.expiresAt), double(row.rank)])
      if (!expiry!.get(entry)?.equals(key)) faults.push(`row ${key} does not expire`)
    }
    parts += row.chunkCount
  }
  const counts = [values!.getCount(), order!.getCount(), expiry!.getCount(), chunks!.getCount()]
  const expected = [counts[0], counts[0], expiring, parts]
  if (counts.join() !== expected.join()) faults.push(`entries ${counts.join()}, expected ${expected.join()}`)
  await root.close()
  return faults
}

/** Of a closed cache. */
export async function countRows(directory: string, tree: string): Promise<number> {
  const root = open({ path: directory, noSubdir: false, maxDbs: 16, maxReaders: 1_000 })
  const count = root.openDB({ name: tree, keyEncoding: 'binary', encoding: 'binary' }).getCount()
  await root.close()
  return count
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}
