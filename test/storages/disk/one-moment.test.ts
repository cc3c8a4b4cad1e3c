import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DiskCacheStorage } from '../../../src/storages/disk/index.ts'

test('getMany is of one moment, however long it takes and whoever writes meanwhile', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'stackquery-disk-'))
  const [reader, writer] = [new DiskCacheStorage(directory), new DiskCacheStorage(directory)]
  onTestFinished(async () => {
    await Promise.all([reader.close(), writer.close()])
    rmSync(directory, { recursive: true, force: true })
  })
  const between = Array.from({ length: 2_000 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(5_000) }))
  await writer.setMany(between)
  await writer.setMany([
    { key: 'first', value: '0' },
    { key: 'last', value: '0' },
  ])
  const keys = ['first', ...between.map(({ key }) => key), 'last']
  const seen = new Set<string | undefined>()
  for (let round = 1; round <= 40; round++) {
    const value = String(round)
    const writing = writer.setMany([
      { key: 'first', value },
      { key: 'last', value },
    ])
    // A few jobs, and the message to its thread is sent: that commits while this one reads.
    await reader.getMany(['first'])
    const values = await reader.getMany(keys)
    expect(values.at(-1)).toBe(values[0])
    seen.add(values[0])
    await writing
  }
  expect(seen.size).toBeGreaterThan(1)
})
