/**
 * Keeps a process from ending in the middle of a transaction of a storage's writing thread, or of another call of its
 * driver's.
 *
 * The runtime ends threads wherever they are. One that is inside a transaction of the driver's never lets go of
 * its lock then, and the process hangs at its exit, or aborts. So the `exit` event waits for the transaction
 * under way, and lets no further one begin. (Ending a user's own worker thread from outside raises no event:
 * close the storage first.)
 *
 * States of the shared word: open <-> busy (a transaction, or a call), open -> shut, for good. Owns one `exit` listener for
 * all gates of the calling thread. Imports nothing of the project.
 */

const OPEN = 0
const BUSY = 1
const SHUT = 2
/** A transaction takes milliseconds; one that waits longer waits for a process that is stopped. */
const MAX_WAIT = 5_000

export type GateWord = Int32Array<SharedArrayBuffer>

export function createGateWord(): GateWord {
  return new Int32Array(new SharedArrayBuffer(4))
}

/** The writing thread's side. */
export class TransactionGate {
  readonly #word: GateWord

  constructor(word: GateWord) {
    this.#word = word
  }

  run<T>(work: () => T): T {
    if (Atomics.compareExchange(this.#word, 0, OPEN, BUSY) !== OPEN) throw new Error('the process is ending')
    try {
      return work()
    } finally {
      Atomics.store(this.#word, 0, OPEN)
      Atomics.notify(this.#word, 0)
    }
  }
}

// One listener, however many storages there are: Node warns of more than ten.
const guarded = new Map<GateWord, (() => void) | undefined>()

/** `onShut`: what the owner does once no transaction can begin, before the runtime closes what is open. */
export function guardExit(word: GateWord, onShut?: () => void): void {
  if (guarded.size === 0) process.on('exit', shutAll)
  guarded.set(word, onShut)
}

export function releaseExit(word: GateWord): void {
  guarded.delete(word)
  if (guarded.size === 0) process.off('exit', shutAll)
}

function shutAll(): void {
  const deadline = performance.now() + MAX_WAIT
  for (const word of guarded.keys()) {
    while (Atomics.compareExchange(word, 0, OPEN, SHUT) === BUSY) {
      const rest = deadline - performance.now()
      if (rest <= 0) break
      Atomics.wait(word, 0, BUSY, rest)
    }
  }
  for (const onShut of guarded.values()) onShut?.()
}
