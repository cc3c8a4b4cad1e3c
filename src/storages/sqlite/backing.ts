/**
 * What stands behind a storage: its driver, and where its writes run. May import siblings.
 */

import type { SQLiteDriverName } from './driver.ts'
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
  const engineSettings = { path, maxSize, feedLength }
  const startInline = (Driver: LoadedDriver['Driver'], notice?: string) => {
    onInline(INLINE_BATCH, notice)
    return new WriteEngine(Driver, { ...engineSettings, isOwnThread: false })
  }
  if (typeof choice === 'function' || path === ':memory:') {
    const Driver = typeof choice === 'function' ? choice : (await loadDriver(namesOf(choice))).Driver
    const host = startInline(Driver)
    const engine = path === ':memory:' ? host : undefined
    return { Driver, host, isThreaded: false, engine }
  }
  const thread = new ThreadHost({
    drivers: namesOf(choice),
    settings: { ...engineSettings, isOwnThread: true },
  })
  // It loads the same driver, at the same time.
  thread.start()
  const { Driver } = await loadDriver(namesOf(choice))
  const host = new FallbackHost(thread, (reason) =>
    startInline(
      Driver,
      `SQLiteStorage cannot start its writing thread (${String(reason)}): writes stay on the calling thread`,
    ),
  )
  return { Driver, host, isThreaded: true, engine: undefined }
}

function namesOf(choice: SQLiteDriverName | undefined): readonly SQLiteDriverName[] | undefined {
  return choice === undefined ? undefined : [choice]
}
