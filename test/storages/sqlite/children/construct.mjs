/** Constructs a storage and does nothing with it; then leaves, closes it, or calls `process.exit`. */

import { SQLiteStorage } from '../../../../dist/storages/sqlite/index.js'

const [path, what] = process.argv.slice(2)
const storage = new SQLiteStorage(path)
if (what === 'close') await storage.close()
if (what === 'exit') process.exit(0)
