/** Holds an old state of the data file open, as a process that is stopped in the middle of a read does. */

import { open } from 'lmdb'

const root = open({ path: process.argv[2]!, noSubdir: false, maxDbs: 16, maxReaders: 1_000, readOnly: true })
root.useReadTransaction()
process.stdout.write('reading\n')
setInterval(() => {}, 60_000)
