import { expect, test } from 'vitest'
import { newPath, openRaw, openStorage, startChild } from './setting.ts'

/** A file as the first version left it. */
function fileOfVersion1(): string {
  const path = newPath()
  const raw = openRaw(path)
  raw.exec(`
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    CREATE TABLE entry (id INTEGER PRIMARY KEY, key NOT NULL UNIQUE, expires INTEGER, value NOT NULL);
    CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
    PRAGMA application_id = ${0x53545159};
    PRAGMA user_version = 1;
    INSERT INTO entry (key, expires, value) VALUES ('kept', NULL, 'value');
  `)
  raw.close()
  return path
}

test('a file of version 1 is upgraded where it is, whether a read, a write or a follower comes first', async () => {
  for (const first of ['get', 'set', 'follow'] as const) {
    const storage = openStorage({ path: fileOfVersion1() })
    if (first === 'set') await storage.set('other', 'v')
    if (first === 'follow')
      (
        await storage.feed.follow(
          () => {},
          () => {},
        )
      )()
    expect(await storage.get('kept')).toBe('value')
    expect(await storage.add('kept', 'another')).toBe(false)
    expect(await storage.lease.acquire('kept', 1_000)).not.toBe(null)
    expect(storage.warnings).toEqual([])
  }
})

test('several processes upgrade it once', async () => {
  const path = fileOfVersion1()
  const workers = ['a', 'b', 'c', 'd'].map((name) => startChild('contend', [path, name, '5']))
  for (const worker of workers) expect(await worker.line(), worker.errors()).toBe('5')
  const storage = openStorage({ path })
  expect(await storage.getMany(['kept', 'count'])).toEqual(['value', '20'])
  expect(openRaw(path).prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 })
})
