import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { StorageError } from '../../../src/errors.ts'
import { DiskCacheStorage } from '../../../src/storages/disk/index.ts'
import { audit } from './audit.ts'
import { openStorage, scratchDirectory, startChild, until } from './scratch.ts'

function logs() {
  const messages: string[] = []
  return {
    messages,
    logger: { warn: (text: string) => messages.push(text), error: (text: string) => messages.push(text) },
  }
}

async function filled(directory: string, count = 500): Promise<void> {
  const storage = new DiskCacheStorage(directory)
  await storage.setMany(
    Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: `${index}`.repeat(100) })),
  )
  await storage.close()
}

describe('a directory', () => {
  test('is made at construction, with tag and format', async () => {
    const directory = scratchDirectory()
    openStorage({ directory })
    await until(() => existsSync(join(directory, 'data.mdb')))
    expect(readFileSync(join(directory, 'CACHEDIR.TAG'), 'latin1')).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55/,
    )
    expect(JSON.parse(readFileSync(join(directory, 'stackquery-cache.json'), 'utf8'))).toEqual({
      application: 'stackquery/disk',
      format: 1,
    })
  })

  test('keeps its entries for the next process', async () => {
    const directory = scratchDirectory()
    await filled(directory)
    expect(await openStorage({ directory }).get('k7')).toBe('7'.repeat(100))
  })

  test.each([
    ['foreign', { 'notes.txt': 'mine' }, /not a cache of StackQuery.*notes\.txt/],
    ["another LMDB application's", { 'data.mdb': 'theirs', 'lock.mdb': '' }, /not a cache of StackQuery/],
    [
      'of a newer format',
      { 'stackquery-cache.json': '{"application":"stackquery/disk","format":2}', 'data.mdb': 'new' },
      /format 2, this version reads format 1/,
    ],
    ['with a foreign format file', { 'stackquery-cache.json': 'x' }, /not written by StackQuery/],
  ])('%s is refused and left untouched', async (_, files, message) => {
    const directory = scratchDirectory()
    mkdirSync(directory)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    const storage = openStorage({ directory })
    const refusal = await storage.set('a', '1').catch((error) => error)
    expect(refusal).toBeInstanceOf(StorageError)
    expect(refusal).toMatchObject({ code: 'STORAGE_UNAVAILABLE', message: expect.stringMatching(message) })
    await expect(storage.get('a')).rejects.toBe(refusal)
    expect(
      Object.fromEntries(
        readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
      ),
    ).toEqual(files)
  })

  test('under a file is refused, and used once the file is gone', async () => {
    const directory = scratchDirectory()
    writeFileSync(directory, 'a file')
    const storage = openStorage({ directory })
    await expect(storage.get('a')).rejects.toMatchObject({ name: 'StorageError', code: 'STORAGE_FAILED' })
    rmSync(directory)
    await until(() =>
      storage.set('a', '1').then(
        () => true,
        () => false,
      ),
    )
    expect(await storage.get('a')).toBe('1')
  })

  test.skipIf(process.getuid?.() === 0)(
    'that may not be written is refused, and used once it may',
    async () => {
      const directory = scratchDirectory()
      chmodSync(dirname(directory), 0o500)
      const storage = openStorage({ directory })
      await expect(storage.set('a', '1')).rejects.toMatchObject({ name: 'StorageError' })
      chmodSync(dirname(directory), 0o700)
      await until(() =>
        storage.set('a', '1').then(
          () => true,
          () => false,
        ),
      )
    },
  )

  test('deleted while nobody uses it begins anew', async () => {
    const directory = scratchDirectory()
    await filled(directory)
    rmSync(directory, { recursive: true })
    expect(await openStorage({ directory }).get('k7')).toBeUndefined()
  })

  test('deleted under a running process is noticed, and begun anew', async () => {
    const directory = scratchDirectory()
    const storage = openStorage({ directory })
    await storage.set('a', '1')
    rmSync(directory, { recursive: true })
    await until(() =>
      storage.set('b', '2').then(
        () => existsSync(join(directory, 'data.mdb')),
        () => false,
      ),
    )
    await storage.set('b', '2')
    expect(await storage.getMany(['a', 'b'])).toEqual([undefined, '2'])
  })
})

describe('a corrupt data file', () => {
  test.each([
    ['overwritten', (file: string) => writeFileSync(file, 'x'.repeat(100_000))],
    ['cut in half', (file: string) => truncateSync(file, statSync(file).size / 2)],
    ['cut to a few bytes', (file: string) => truncateSync(file, 10)],
    [
      'with its later pages overwritten',
      (file: string) =>
        writeFileSync(file, Buffer.alloc(statSync(file).size - 8_192, 0xa5), { flag: 'r+', flush: true }),
    ],
    [
      'with flipped bytes',
      (file: string) => {
        const bytes = readFileSync(file)
        for (let at = 8_192; at < bytes.length; at += 1_009) bytes[at]! ^= 0xff
        writeFileSync(file, bytes)
      },
    ],
  ])('%s is set aside, said once, and a new one is begun', async (_, damage) => {
    const directory = scratchDirectory()
    await filled(directory)
    damage(join(directory, 'data.mdb'))
    const { messages, logger } = logs()
    const storage = openStorage({ directory, logger })
    expect(await storage.get('k7')).toBeUndefined()
    await storage.set('a', '1')
    expect(await storage.get('a')).toBe('1')
    expect(messages).toEqual([expect.stringMatching(/corrupt.*set aside as .*data\.mdb\.corrupt/)])
    expect(existsSync(join(directory, 'data.mdb.corrupt'))).toBe(true)
    await storage.close()
    expect(await audit(directory)).toEqual([])
  })

  test('that is empty is simply filled', async () => {
    const directory = scratchDirectory()
    await filled(directory)
    truncateSync(join(directory, 'data.mdb'), 0)
    const { messages, logger } = logs()
    const storage = openStorage({ directory, logger })
    await storage.set('a', '1')
    expect(await storage.get('a')).toBe('1')
    expect(messages).toEqual([])
  })
})

describe('closing', () => {
  test('writes what is under way, may be repeated, and ends every later operation', async () => {
    const directory = scratchDirectory()
    const storage = openStorage({ directory })
    const writes = Array.from({ length: 100 }, (_, index) => storage.set(`k${index}`, 'v'))
    await until(() => storage.get('k0').then((value) => value === 'v'))
    await Promise.all([storage.close(), storage.close()])
    await Promise.all(writes)
    const closed = { name: 'StorageError', code: 'STORAGE_UNAVAILABLE' }
    await expect(storage.get('k1')).rejects.toMatchObject(closed)
    await expect(storage.set('k1', 'x')).rejects.toMatchObject(closed)
    await expect(storage.keys('').next()).rejects.toMatchObject(closed)
    expect(await openStorage({ directory }).get('k99')).toBe('v')
  })

  test('before any operation leaves a sound cache', async () => {
    const directory = scratchDirectory()
    await new DiskCacheStorage(directory).close()
    expect(await audit(directory)).toEqual([])
  })

  test('before any operation, where the directory cannot be used, is no error', async () => {
    const directory = scratchDirectory()
    writeFileSync(directory, 'a file')
    await new DiskCacheStorage(directory).close()
    expect(readFileSync(directory, 'utf8')).toBe('a file')
  })

  test('is not needed: a process that only constructs one ends by itself', async () => {
    for (const what of ['leave', 'close', 'exit']) {
      expect(await startChild('construct', scratchDirectory(), what).ended).toBe(0)
    }
  })

  test('leaves another storage on the same directory in this process working', async () => {
    const directory = scratchDirectory()
    const [first, second] = [openStorage({ directory }), openStorage({ directory })]
    await first.set('a', '1')
    expect(await second.get('a')).toBe('1')
    await first.close()
    await second.set('b', '2')
    expect(await second.getMany(['a', 'b'])).toEqual(['1', '2'])
    await second.close()
    expect(await audit(directory)).toEqual([])
  })
})
