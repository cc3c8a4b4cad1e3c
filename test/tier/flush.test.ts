import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { QueryClient } from '../../src/client/query-client.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage } from '../../src/testing/index.ts'

function slowStorage(): { storage: ChaosStorage; memory: MemoryStorage } {
  const memory = new MemoryStorage()
  const storage = new ChaosStorage(memory)
  storage.fault({ kind: 'delay', delay: 5 })
  return { storage, memory }
}

test.each([1, 300])(
  'flush writes the data of %i new keys set just before it to a store that takes its time',
  async (count) => {
    const { storage, memory } = slowStorage()
    const client = new QueryClient({ storage })
    for (let i = 0; i < count; i++) client.setQueryData(['user', i], { id: i })
    expect((await client.flush({ timeout: Number.POSITIVE_INFINITY })).pending).toBe(0)
    expect(client.stats().storage).toMatchObject({ dropped: 0, pending: 0 })

    const next = new QueryClient({ storage: memory })
    const found = await Promise.all(
      Array.from({ length: count }, (_, i) => next.getQueryDataAsync(['user', i])),
    )
    expect(found).toEqual(Array.from({ length: count }, (_, id) => ({ id })))
  },
)

test('a process does not end while it waits for close', () => {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    const { QueryClient } = await import(${url('../../src/client/query-client.ts')})
    const written = []
    const later = (act) => new Promise((resolve) => setTimeout(() => resolve(act()), 5).unref())
    const storage = {
      get: () => later(() => null),
      set: (key) => later(() => written.push(key)),
      delete: () => later(() => {}),
    }
    const client = new QueryClient({ storage })
    client.setQueryData(['user', 1], { id: 1 })
    await client.close()
    console.log(written.filter((key) => key.startsWith('sq:d:')).join())`
  const loader = fileURLToPath(new URL('../typescript-loader.mjs', import.meta.url))
  const args = ['--import', loader, '--input-type=module', '--eval', program]
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 15_000 })
  expect(stdout.trim()).toBe('sq:d:["user",1]')
  expect(status).toBe(0)
})
