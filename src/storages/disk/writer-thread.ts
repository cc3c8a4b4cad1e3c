/**
 * Entry of the writing thread: opens the directory for writing, writes, watches that the data file stays the
 * one under its path. A thread of its own, since opening waits for locks, and so that a busy event loop never
 * holds the one write lock that all processes share.
 *
 * States: opening -> open (`opened`) -> ended (asked to close), or ended by its owner at `refused` and `lost`.
 * Owns the stores, the lock and the watch timer. May import siblings.
 */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { TransactionGate } from '../../resilience/transaction-gate.ts'
import { Bell } from './bell.ts'
import { claimDirectory, identifyData, setAside } from './directory.ts'
import { FlushMarker } from './flush-marker.ts'
import { inspectDataFile } from './inspect-data-file.ts'
import { type CacheStores, isCorruption, type LmdbModule, loadLmdb, openStores } from './lmdb.ts'
import { beginLog, readIncarnation } from './message-log.ts'
import { underOpeningMutex } from './opening-mutex.ts'
import {
  type FromWriter,
  packError,
  type ToWriter,
  type WriteRequest,
  type WriterSettings,
} from './protocol.ts'
import { WriteLock } from './write-lock.ts'
import { Writer } from './writer.ts'

const WATCH_INTERVAL = 1_000
const READER_CHECK_INTERVAL = 60_000

const port = parentPort!
const settings = workerData as WriterSettings
const { directory } = settings
const gate = new TransactionGate(settings.gate)

function say(message: FromWriter): void {
  port.postMessage(message)
}

interface Opened {
  readonly lock: WriteLock
  readonly marker: FlushMarker
  readonly stores: CacheStores
}

async function open(): Promise<Opened> {
  const lmdb = await loadLmdb()
  claimDirectory(directory)
  return underOpeningMutex(directory, async () => {
    const lock = new WriteLock(lmdb, directory, gate)
    const marker = new FlushMarker(directory, lock)
    try {
      return { lock, marker, stores: openData(lmdb, lock, marker) }
    } catch (error) {
      await lock.close()
      throw error
    }
  })
}

function openData(lmdb: LmdbModule, lock: WriteLock, marker: FlushMarker): CacheStores {
  if (lock.run(() => marker.discardUntrusted())) {
    warn(`the machine went down before the disk cache ${directory} was flushed; it is begun anew`)
  }
  const identity = identifyData(directory)
  const isCondemned = identity !== undefined && identity === settings.condemned
  // It may take a while, so that others write meanwhile.
  const damage = isCondemned ? 'found while reading' : inspectDataFile(directory)
  return lock.run(() => {
    if (damage !== undefined) replaceData(damage, identity)
    try {
      return begin(openStores(lmdb, directory, false), marker)
    } catch (error) {
      if (!isCorruption(error)) throw error
      replaceData((error as Error).message, identity)
      return begin(openStores(lmdb, directory, false), marker)
    }
  })
}

/** Before anyone reads: a log that has no incarnation could not be told from another. */
function begin(stores: CacheStores, marker: FlushMarker): CacheStores {
  const { root } = stores
  const hasBegun = readIncarnation(stores) !== ''
  root.resetReadTxn()
  if (hasBegun) return stores
  root.transactionSync(() => {
    marker.set()
    beginLog(stores)
  })
  return stores
}

function replaceData(damage: string, identity: string | undefined): void {
  const place = identity === undefined ? undefined : setAside(directory, identity)
  if (place === undefined) return
  warn(
    `the data file of the disk cache ${directory} is corrupt (${damage}); it is set aside as ${place}, a new one is begun`,
  )
}

function warn(message: string): void {
  say({ kind: 'warning', message })
}

function run({ stores, marker, lock }: Opened): void {
  const identity = identifyData(directory)
  const writer = new Writer(stores, settings, marker, lock)
  const bell = new Bell(directory)
  let readersCheckedAt = Date.now()

  const watch = setInterval(async () => {
    if (identifyData(directory) !== identity) return lose('it was deleted or replaced', undefined)
    await marker.settleIfQuiet(stores)
    if (Date.now() - readersCheckedAt < READER_CHECK_INTERVAL) return
    readersCheckedAt = Date.now()
    lock.look(() => stores.root.readerCheck())
  }, WATCH_INTERVAL)

  function lose(reason: string, condemned: string | undefined): void {
    clearInterval(watch)
    say({ kind: 'lost', reason, condemned })
  }

  function write(requests: readonly WriteRequest[]): void {
    const { failed, refused } = writer.perform(requests)
    const written = requests.filter((request) => !failed.has(request))
    const idsOf = (some: readonly WriteRequest[]) => some.map(({ id }) => id)
    if (written.length > 0) {
      const ofRefused = written.filter((request) => refused.has(request))
      say({ kind: 'written', ids: idsOf(written), refused: idsOf(ofRefused) })
    }
    if (written.some(({ operations }) => operations.some(({ kind }) => kind === 'append'))) bell.ring()
    for (const [{ id }, error] of failed) {
      say({ kind: 'failed', ids: [id], error: packError(error, `writing to ${directory}`) })
      if (isCorruption(error)) lose('it is corrupt', identity)
      else if (identifyData(directory) !== identity) lose('it was deleted or replaced', undefined)
    }
  }

  async function close(): Promise<void> {
    clearInterval(watch)
    bell.close()
    await marker.settle(stores)
    await underOpeningMutex(directory, () => Promise.all([stores.root.close(), lock.close()]))
    port.close()
  }

  port.on('message', (first: ToWriter) => {
    const requests: WriteRequest[] = []
    let message: ToWriter | undefined = first
    // What else has come joins the same transaction.
    while (message?.kind === 'write') {
      requests.push(...message.requests)
      message = receiveMessageOnPort(port)?.message
    }
    if (requests.length > 0) write(requests)
    if (message !== undefined) void close()
  })
}

try {
  run(await open())
  say({ kind: 'opened', identity: identifyData(directory) ?? '' })
} catch (error) {
  say({ kind: 'refused', error: packError(error, `opening ${directory}`) })
  port.close()
}
