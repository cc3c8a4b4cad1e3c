import { expect, test } from 'vitest'
import { loadDriver } from './load-driver.ts'

test('finds a driver in this runtime', async () => {
  const { Driver, name } = await loadDriver()
  const connection = new Driver(':memory:')
  expect(connection.prepare('SELECT 1 AS one').get()).toEqual({ one: 1 })
  connection.close()
  expect(name).toBe(process.getBuiltinModule?.('node:sqlite') ? 'node:sqlite' : '@photostructure/sqlite')
})

test('without any, the error says what to install and what was tried', async () => {
  await expect(loadDriver(['bun:sqlite', 'not-installed' as never])).rejects.toMatchObject({
    name: 'MissingDriverError',
    code: 'MISSING_DRIVER',
    message: expect.stringMatching(/npm install better-sqlite3.*bun:sqlite: .*not-installed: /s),
  })
})
