import { expect, test } from 'vitest'
import { StorageError } from '../../errors.ts'
import { isBusy, isCorrupt, resultCode, toStorageError } from './result-code.ts'

const thrown = (parts: object, message = 'failed') => Object.assign(new Error(message), parts)

test.each([
  ['node:sqlite', thrown({ code: 'ERR_SQLITE_ERROR', errcode: 5 }), 5],
  ['node:sqlite, an extended code', thrown({ code: 'ERR_SQLITE_ERROR', errcode: 261 }), 5],
  ['bun:sqlite', thrown({ code: 'SQLITE_FULL', errno: 13 }), 13],
  ['better-sqlite3', thrown({ code: 'SQLITE_BUSY_SNAPSHOT' }), 5],
  ['better-sqlite3, a code of no interest', thrown({ code: 'SQLITE_MISMATCH' }), 1],
  ['a text only', thrown({}, 'database disk image is malformed'), 11],
  ['another error', thrown({ code: 'ENOENT' }), 0],
  ['no error', 'text', 0],
])('the result code of %s', (_, error, code) => {
  expect(resultCode(error)).toBe(code)
})

test('busy and corrupt are told from the rest', () => {
  expect(isBusy(thrown({ errcode: 6 }))).toBe(true)
  expect(isBusy(thrown({ errcode: 11 }))).toBe(false)
  expect(isCorrupt(thrown({ code: 'SQLITE_NOTADB' }))).toBe(true)
  expect(isCorrupt(thrown({ errcode: 5 }))).toBe(false)
})

test('a lasting condition is unavailable, anything else failed; both name the file and keep the cause', () => {
  const full = thrown({ errcode: 13 }, 'database or disk is full')
  expect(toStorageError(full, '/a/cache.db')).toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining('/a/cache.db'),
    cause: full,
  })
  expect(toStorageError(thrown({ code: 'EACCES', syscall: 'mkdir' }), 'x').code).toBe('STORAGE_UNAVAILABLE')
  expect(toStorageError(thrown({ errcode: 1 }), 'x').code).toBe('STORAGE_FAILED')
  expect(toStorageError('odd', 'x').code).toBe('STORAGE_FAILED')
  const known = new StorageError('STORAGE_UNAVAILABLE', 'known')
  expect(toStorageError(known, 'x')).toBe(known)
})
