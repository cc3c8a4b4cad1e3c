import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/errors.ts'
import { type DiskCacheOptions, DiskCacheStorage } from '../../../src/storages/disk/index.ts'
import { resolveOptions } from '../../../src/storages/disk/options.ts'

describe('options', () => {
  test('have the documented defaults', () => {
    expect(resolveOptions()).toEqual({
      directory: `${process.cwd()}/.cache`,
      sizeLimit: 1_073_741_824,
      eviction: 'least-recently-stored',
      feedLength: 10_000,
      logger: undefined,
    })
    expect(resolveOptions('/tmp/x').directory).toBe('/tmp/x')
  })

  test.each([
    [{ directory: '' }, 'directory must be a path without NUL, got ""'],
    [{ directory: 'a\0' }, 'got "a\\u0000"'],
    [{ directory: 7 }, 'got 7'],
    [{ sizeLimit: 1_000 }, 'sizeLimit must be an integer from 1048576 bytes, got 1000'],
    [{ sizeLimit: Number.NaN }, 'got NaN'],
    [{ sizeLimit: '1GB' }, 'got "1GB"'],
    [{ eviction: 'lru' }, "eviction must be 'least-recently-stored' or 'least-recently-used', got \"lru\""],
    [{ logger: {} }, 'logger must have warn and error functions'],
    [null, 'takes a directory or options, got null'],
  ])('that make no sense are refused by the constructor: %j', (options, message) => {
    const construct = () => new DiskCacheStorage(options as DiskCacheOptions)
    expect(construct).toThrow(InvalidOptionError)
    expect(construct).toThrow(message)
  })
})
