import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { collect, Driver, newDirectory, newPath, openRaw, openStorage, startChild, until } from './setting.ts'

const unavailable = (text: string) => ({
  name: 'StorageError',
  code: 'STORAGE_UNAVAILABLE',
  message: expect.stringContaining(text),
})

const setAsideFiles = (path: string) =>
  readdirSync(dirname(path)).filter((name) => /\.corrupt-[^/]*Z$/.test(name))

describe('a path that cannot be used', () => {
  test('missing directories are created', async () => {
    const path = join(newDirectory(), 'some', 'where', 'cache.db')
    const storage = openStorage({ path })
    await storage.set('key', 'value')
    expect(await openStorage({ path }).get('key')).toBe('value')
  })

  test('a directory in place of the file rejects every operation, until it is gone', async () => {
    const path = newPath()
    mkdirSync(path)
    const storage = openStorage({ path })
    await expect(storage.get('key')).rejects.toMatchObject(unavailable(path))
    await expect(storage.set('key', 'v')).rejects.toMatchObject(unavailable(path))
    await expect(storage.getMany(['key'])).rejects.toMatchObject(unavailable(path))
    await expect(collect(storage.keys(''))).rejects.toMatchObject(unavailable(path))
    expect(storage.warnings).toEqual([])
    rmdirSync(path)
    await storage.set('key', 'v')
    expect(await storage.get('key')).toBe('v')
  })

  test('a path under a regular file rejects every operation, until that file is gone', async () => {
    const file = newPath()
    writeFileSync(file, 'not a directory')
    const storage = openStorage({ path: join(file, 'cache.db') })
    await expect(storage.set('key', 'v')).rejects.toMatchObject(unavailable('EEXIST'))
    await expect(storage.get('key')).rejects.toMatchObject(unavailable('EEXIST'))
    rmSync(file)
    expect(await storage.get('key')).toBe(null)
    await storage.set('key', 'v')
    expect(await storage.get('key')).toBe('v')
  })

  test('a read that fails does not lose the pending write of its key', async () => {
    const path = newPath()
    mkdirSync(path)
    const storage = openStorage({ path })
    const write = storage.set('key', 'v')
    expect(await storage.get('key')).toBe('v')
    await expect(write).rejects.toMatchObject(unavailable(path))
    await expect(storage.get('key')).rejects.toMatchObject(unavailable(path))
  })
})

describe('without permission', () => {
  // Permission bits do not bind root, so root becomes nobody.
  const nobody = process.getuid?.() === 0 ? 65_534 : undefined

  async function visit(path: string) {
    const child = startChild('visit', [path], nobody)
    return JSON.parse(await child.line())
  }

  test('a read-only file in a read-only directory rejects writes and stays as it is', async () => {
    const path = newPath()
    const storage = openStorage({ path })
    await storage.set('key', 'old')
    await storage.close()
    const before = readFileSync(path)
    chmodSync(path, 0o444)
    chmodSync(dirname(path), 0o555)
    const { written } = await visit(path)
    expect(written.error).toEqual(unavailable(path))
    expect(readFileSync(path)).toEqual(before)
  })

  test('a read-only file in a writable directory is read all the same', async () => {
    const path = newPath()
    const storage = openStorage({ path })
    await storage.set('key', 'old')
    await storage.close()
    chmodSync(path, 0o444)
    chmodSync(dirname(path), 0o777)
    const { written, read } = await visit(path)
    expect(written.error).toEqual(unavailable('read-only'))
    expect(read).toEqual({ value: 'old' })
  })

  test('an unreadable file and a directory that cannot be written', async () => {
    const path = newPath()
    writeFileSync(path, '')
    chmodSync(path, 0)
    chmodSync(dirname(path), 0o755)
    const { written, read } = await visit(path)
    expect(written.error).toEqual(unavailable(path))
    expect(read.error).toEqual(unavailable(path))
    const missing = await visit(join(dirname(path), 'new', 'cache.db'))
    expect(missing.written.error).toEqual(unavailable('EACCES'))
  })
})

describe('a corrupt file', () => {
  test('that is no database is set aside, with one warning, and a new one begins', async () => {
    const path = newPath()
    const garbage = 'this is not a database, but it is somebody’s file. '.repeat(400)
    writeFileSync(path, garbage)
    const storage = openStorage({ path })
    expect(await storage.get('key')).toBe(null)
    await storage.set('key', 'v')
    expect(await storage.get('key')).toBe('v')
    const [aside, ...others] = setAsideFiles(path)
    expect(others).toEqual([])
    expect(readFileSync(join(dirname(path), aside!), 'utf8')).toBe(garbage)
    expect(storage.warnings).toEqual([expect.stringContaining(aside!)])
    expect(storage.warnings[0]).toContain('corrupt')
  })

  async function damaged(): Promise<string> {
    const path = newPath()
    const storage = openStorage({ path })
    await storage.setMany(
      Array.from({ length: 2_000 }, (_, i) => ({ key: `k${i}`, value: `${i}`.repeat(50) })),
    )
    await storage.close()
    damage(path)
    return path
  }

  /** Leaves the first pages, through which the file is recognised. */
  function damage(path: string): void {
    const pages = readFileSync(path).length / 4096
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc((pages - 8) * 4096, 0xa5), 0, undefined, 8 * 4096)
  }

  test('that is damaged in the middle is set aside when a read finds it', async () => {
    const path = await damaged()
    const storage = openStorage({ path })
    for (let i = 0; i < 2_000; i += 100) await storage.get(`k${i}`)
    expect(storage.warnings.length).toBe(1)
    expect(setAsideFiles(path).length).toBe(1)
    await storage.set('key', 'v')
    expect(await storage.get('key')).toBe('v')
  })

  test('that is damaged in the middle is set aside when a write finds it', async () => {
    const path = await damaged()
    const storage = openStorage({ path })
    await storage.setMany(Array.from({ length: 2_000 }, (_, i) => ({ key: `k${i}`, value: 'new' })))
    expect(setAsideFiles(path).length).toBe(1)
    expect(storage.warnings.length).toBe(1)
    expect(await storage.get('k1999')).toBe('new')
  })

  test('is set aside once by several processes that find it together, which go on with one file', async () => {
    const path = newPath()
    writeFileSync(path, 'not a database. '.repeat(1_000))
    const writers = ['a', 'b', 'c', 'd'].map((prefix) => startChild('writer', [path, prefix, '500']))
    for (const writer of writers) expect(await writer.line(), writer.errors()).toBe('done')
    expect(setAsideFiles(path).length).toBe(1)
    const storage = openStorage({ path })
    await storage.set('key', 'v')
    expect(openRaw(path).prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    expect(await storage.get('key')).toBe('v')
  })

  test('a logger that throws changes nothing', async () => {
    const path = newPath()
    writeFileSync(path, 'not a database. '.repeat(1_000))
    const storage = openStorage({
      path,
      logger: {
        warn: () => {
          throw new Error('no log')
        },
      },
    })
    await storage.set('key', 'v')
    expect(await storage.get('key')).toBe('v')
  })
})

describe('a file that is not ours to change', () => {
  test.each([
    ['a newer schema', 'PRAGMA application_id = 1398034777; PRAGMA user_version = 99', 'version 99'],
    ['another application', 'CREATE TABLE users (name); INSERT INTO users VALUES (1)', 'another application'],
    ['another application_id', 'PRAGMA application_id = 42', 'another application'],
  ])('%s: a clear error, and not a byte is touched', async (_, sql, text) => {
    const path = newPath()
    const raw = openRaw(path)
    raw.exec(sql)
    raw.close()
    const before = readFileSync(path)
    const storage = openStorage({ path })
    await expect(storage.get('key')).rejects.toMatchObject(unavailable(text))
    await expect(storage.set('key', 'v')).rejects.toMatchObject(unavailable(text))
    await storage.close()
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(dirname(path))).toEqual([basename(path)])
    expect(storage.warnings).toEqual([])
  })
})

describe('a file that goes away', () => {
  test('is begun anew after it was deleted, by writers and by those who only read', async () => {
    const path = newPath()
    const writing = openStorage({ path })
    const reading = openStorage({ path })
    await writing.set('key', 'old')
    expect(await reading.get('key')).toBe('old')
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    await writing.set('other', 'new')
    expect(await writing.getMany(['key', 'other'])).toEqual([null, 'new'])
    await until(async () => (await reading.get('other')) === 'new')
    expect(await reading.get('key')).toBe(null)
    expect(openRaw(path).prepare('SELECT count(*) AS n FROM entry').get()).toEqual({ n: 1 })
  })
})

describe('a full disk', () => {
  const large = 'x'.repeat(100_000)

  test('rejects what does not fit, keeps what is there, and takes writes again later', async () => {
    const path = newPath()
    let limit = 'PRAGMA max_page_count = 40'
    const connections: { exec(sql: string): unknown }[] = []
    class SmallDisk extends Driver {
      constructor(...args: ConstructorParameters<typeof Driver>) {
        super(...args)
        this.exec(limit)
        connections.push(this)
      }
    }
    const storage = openStorage({ path, driver: SmallDisk })
    await storage.set('key', 'v')
    const results = await Promise.allSettled([
      storage.set('large', large),
      storage.set('larger', large + large),
      storage.set('small', 'v'),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: unavailable('full') })
    expect(await storage.getMany(['key', 'large', 'larger', 'small'])).toEqual(['v', large, null, 'v'])
    limit = 'PRAGMA max_page_count = 4000'
    for (const connection of connections) connection.exec(limit)
    await storage.set('larger', large + large)
    expect(await storage.get('larger')).toBe(large + large)
  })

  test('a real one, of one megabyte', async ({ skip }) => {
    const mount = newDirectory()
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount], { stdio: 'ignore' })
    } catch {
      skip('needs root, to mount a small file system')
    }
    onTestFinished(() => {
      execFileSync('umount', ['-l', mount])
    })
    const storage = openStorage({ path: join(mount, 'cache.db') })
    await storage.set('key', 'v')
    const filler = Array.from({ length: 40 }, (_, i) => storage.set(`fill${i}`, large))
    const results = await Promise.allSettled(filler)
    const rejected = results.filter((result) => result.status === 'rejected')
    expect(rejected.length).toBeGreaterThan(0)
    for (const result of rejected) expect(result.reason).toMatchObject({ name: 'StorageError' })
    expect(await storage.get('key')).toBe('v')
    execFileSync('mount', ['-o', 'remount,size=64m', mount])
    await storage.set('later', large)
    expect(await storage.get('later')).toBe(large)
    expect(await storage.get('key')).toBe('v')
    expect(storage.warnings).toEqual([])
  })
})
