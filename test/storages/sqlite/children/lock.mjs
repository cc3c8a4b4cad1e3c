/** Holds the write lock of a file, from "locked" until its input says "release". */

import { createInterface } from 'node:readline'
import { loadDriver } from '../../../../dist/storages/sqlite/load-driver.js'

const { Driver } = await loadDriver()
const connection = new Driver(process.argv[2])
connection.exec('PRAGMA busy_timeout = 5000')
connection.exec('BEGIN IMMEDIATE')
console.log('locked')
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'release') break
}
connection.exec('ROLLBACK')
connection.close()
