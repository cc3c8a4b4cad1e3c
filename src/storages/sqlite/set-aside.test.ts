import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isBusy } from './result-code.ts'
import { identityOf, isBeingSetAside, setAside } from './set-aside.ts'

function corruptFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'stackquery-aside-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'cache.db')
  for (const suffix of ['', '-wal', '-shm']) writeFileSync(path + suffix, `old${suffix}`)
  return path
}

test('the file leaves with its log, so that no new file finds that log', () => {
  const path = corruptFile()
  const target = setAside(path, identityOf(path))!
  for (const suffix of ['', '-wal', '-shm']) {
    expect(existsSync(path + suffix)).toBe(false)
    expect(readFileSync(target + suffix, 'utf8')).toBe(`old${suffix}`)
  }
  expect(existsSync(`${path}.lock`)).toBe(false)
})

test('a file that has taken the place of the corrupt one stays', () => {
  const path = corruptFile()
  const corrupt = identityOf(path)
  writeFileSync(`${path}.new`, 'new')
  expect(setAside(path, identityOf(`${path}.new`))).toBe(undefined)
  expect(setAside(path, undefined)).toBe(undefined)
  expect(identityOf(path)).toBe(corrupt)
  expect(existsSync(`${path}-wal`)).toBe(true)
})

test('only one does it at a time; a lock that its owner left behind is void after a while', () => {
  const path = corruptFile()
  const corrupt = identityOf(path)
  const attempt = () => {
    try {
      return setAside(path, corrupt)
    } catch (error) {
      return isBusy(error) ? 'busy' : error
    }
  }
  writeFileSync(`${path}.lock`, '')
  expect(isBeingSetAside(path)).toBe(true)
  expect(attempt()).toBe('busy')
  const longAgo = new Date(Date.now() - 60_000)
  utimesSync(`${path}.lock`, longAgo, longAgo)
  expect(isBeingSetAside(path)).toBe(false)
  expect(attempt()).toBe('busy')
  expect(attempt()).toEqual(expect.stringContaining('.corrupt-'))
})
