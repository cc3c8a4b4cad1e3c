/**
 * Entry of the writing thread: opens the directory for writing, writes, watches that the data file stays the
 * one under its path. A thread of its own, since opening waits for locks, and so that a busy event loop never
 * holds the one write lock that all processes share.
 *
 * States: opening -> open (`opened`) -> closed (`closed`), or the end of the thread at `refused` and `lost`.
 * Owns the stores and the watch timer. May import siblings.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { claimDirectory, identifyData, setAside } from './directory.ts'
import { inspectDataFile } from './inspect-data-file.ts'
import { type CacheStores, isCorruption, loadLmdb, openStores } from './lmdb.ts'
import { type FromWriter, packError, type ToWriter, type WriterSettings } from './protocol.ts'
import { Writer } from './writer.ts'

const WATCH_INTERVAL = 1_000
const READER_CHECK_INTERVAL = 60_000

const port = parentPort!
const settings = workerData as WriterSettings
const { directory } = settings

function say(message: FromWriter): void {
  port.postMessage(message)
}

async function open(): Promise<CacheStores> {
  const lmdb = await loadLmdb()
  claimDirectory(directory)
  const identity = identifyData(directory)
  const damage =
    identity !== undefined && identity === settings.condemned
      ? 'found while reading'
      : inspectDataFile(directory)
  if (damage !== undefined) replaceData(damage)
  try {
    return openStores(lmdb, directory, false)
  } catch (error) {
    if (!isCorruption(error)) throw error
    replaceData((error as Error).message)
    return openStores(lmdb, directory, false)
  }
}

function replaceData(damage: string): void {
  const place = setAside(directory, identifyData(directory) ?? '')
  if (place === undefined) return
  say({
    kind: 'warning',
    message: `the data file of the disk cache ${directory} is corrupt (${damage}); it is set aside as ${place}, a new one is begun`,
  })
}

try {
  const stores = await open()
  const identity = identifyData(directory)
  const lose = (reason: string, condemned: string | undefined) => {
    clearInterval(watch)
    say({ kind: 'lost', reason, condemned })
  }
  const writer = new Writer(stores, settings, {
    onWritten: (ids) => say({ kind: 'written', ids }),
    onFailed: (ids, error) => {
      say({ kind: 'failed', ids, error: packError(error, `writing to ${directory}`) })
      if (isCorruption(error)) lose('it is corrupt', identity)
    },
  })
  let readersCheckedAt = Date.now()
  const watch = setInterval(() => {
    if (identifyData(directory) !== identity) return lose('it was deleted or replaced', undefined)
    if (Date.now() - readersCheckedAt < READER_CHECK_INTERVAL) return
    readersCheckedAt = Date.now()
    stores.root.readerCheck()
  }, WATCH_INTERVAL)
  port.on('message', async (message: ToWriter) => {
    if (message.kind === 'write') return writer.add(message.requests)
    clearInterval(watch)
    await writer.idle()
    await stores.root.close()
    say({ kind: 'closed' })
    port.close()
  })
  say({ kind: 'opened', identity: identity ?? '' })
} catch (error) {
  say({ kind: 'refused', error: packError(error, `opening ${directory}`) })
}
