/**
 * What stands behind a storage: its driver, and where its writes run. May import siblings.
 */

import { FallbackHost } from './fallback-host.ts'
import { type LoadedDriver, loadDriver } from './load-driver.ts'
import type { Settings } from './options.ts'
import { ThreadHost, type WriteHost } from './thread-host.ts'
import { WriteEngine } from './write-engine.ts'

/** Entries per transaction: long ones suit a thread, short ones the event loop. */
export const THREAD_BATCH = 500
const INLINE_BATCH = 32

export interface Backing {
  readonly Driver: LoadedDriver['Driver']
  readonly host: WriteHost
  /** Opening the file costs the calling thread nothing. */
  readonly isThreaded: boolean
  /** Where the data has no other place than the engine's own connection. */
  readonly engine: WriteEngine | undefined
}

/**
 * `onInline` is told the size of batches that suits the calling thread, once writes are to run there; with a
 * notice where that was not to be expected.
 *
 * @throws MissingDriverError (`MISSING_DRIVER`)
 */
export async function prepareBacking(
  { path, maxSize, feedLength, driver: choice }: Settings,
  onInline: (batchSize: number, notice?: string) => void,
): Promise<Backing> {
  const { Driver, name } =
    typeof choice === 'function'
      ? { Driver: choice, name: undefined }
      : await loadDriver(choice === undefined ? undefined : [choice])
  const startInline = (notice?: string) => {
    onInline(INLINE_BATCH, notice)
    return new WriteEngine(Driver, { path, maxSize, feedLength, isOwnThread: false })
  }
  if (path === ':memory:') {
    const engine = startInline()
    return { Driver, host: engine, isThreaded: false, engine }
  }
  if (name === undefined) return { Driver, host: startInline(), isThreaded: false, engine: undefined }
  const settings = { path, maxSize, feedLength, isOwnThread: true }
  const thread = new ThreadHost({ driver: name, settings })
  const host = new FallbackHost(thread, (reason) =>
    startInline(
      `SQLiteStorage cannot start its writing thread (${String(reason)}): writes stay on the calling thread`,
    ),
  )
  return { Driver, host, isThreaded: true, engine: undefined }
}
