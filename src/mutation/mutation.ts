/**
 * A change of data at its origin, with what goes around it: optimistic update, rollback, retries.
 *
 * States: `idle` → `pending` → `success` | `error`; `reset` leads back to `idle`, and what still runs then no longer shows.
 * Where several `mutate` calls overlap, the state is that of the newest; each promise is its own call's.
 * Never cached, never in L2. Its pauses between attempts are the only alarms it owns.
 */

import { InvalidOptionError } from '../errors.ts'
import { nextAttemptIn } from '../fetching/retry.ts'
import type { Clock } from '../ports/clock.ts'
import type { Awaitable } from '../ports/storage.ts'
import { assertFunction } from '../query/option-checks.ts'
import { assertRetry, type Retry, type RetryDelay } from '../query/query-options.ts'
import { asError } from '../resilience/as-error.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { TimerQueue } from '../resilience/timer-queue.ts'

export interface MutationFnContext<TClient> {
  readonly client: TClient
  /** The mutation's `meta`, as given. */
  readonly meta: unknown
}

export interface BaseMutationOptions<TInput, TData, TContext, TClient> {
  /** Makes the change. */
  mutationFn: (input: TInput, context: MutationFnContext<TClient>) => Awaitable<TData>
  /**
   * Called before the change is made: the place for an optimistic update. What it returns is handed to the other
   * callbacks as `context`. Where it throws, the change is not made and `mutate` rejects with what it threw.
   */
  onMutate?: ((input: TInput, context: MutationFnContext<TClient>) => Awaitable<TContext>) | undefined
  /** Called, and waited for, when the change was made. What it throws is logged and changes nothing. */
  onSuccess?: ((data: TData, input: TInput, context: TContext | undefined) => unknown) | undefined
  /** Called, and waited for, when the change has failed for good: the place to roll back. */
  onError?: ((error: Error, input: TInput, context: TContext | undefined) => unknown) | undefined
  /** Called, and waited for, after `onSuccess` or `onError`: the place to invalidate. */
  onSettled?:
    | ((
        data: TData | undefined,
        error: Error | null,
        input: TInput,
        context: TContext | undefined,
      ) => unknown)
    | undefined
  /**
   * Changes are often not repeatable, so they are not repeated unless told to be.
   * @default 0
   */
  retry?: Retry | undefined
  /** @default the client's `retryDelay`, `min(1000 * 2 ** attempt, 30_000)` */
  retryDelay?: RetryDelay | undefined
  /** Passed to the functions; the library never looks inside. */
  meta?: unknown
}

export interface MutationState<TData> {
  readonly status: 'idle' | 'pending' | 'success' | 'error'
  readonly data: TData | undefined
  readonly error: Error | null
  /** Failed attempts of the newest call. */
  readonly failureCount: number
  /** Epoch milliseconds; 0 = never. */
  readonly submittedAt: number
  /** Epoch milliseconds; 0 = not yet. */
  readonly settledAt: number
  readonly isIdle: boolean
  readonly isPending: boolean
  readonly isSuccess: boolean
  readonly isError: boolean
}

/** What a mutation needs of the client. */
export interface MutationHost {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly retryDelay: RetryDelay
  readonly client: unknown
  /** A closed client repeats nothing. */
  isClosed(): boolean
}

type Bare<TData> = Pick<
  MutationState<TData>,
  'status' | 'data' | 'error' | 'failureCount' | 'submittedAt' | 'settledAt'
>

const IDLE: Bare<never> = {
  status: 'idle',
  data: undefined,
  error: null,
  failureCount: 0,
  submittedAt: 0,
  settledAt: 0,
}

export class Mutation<TInput, TData, TContext = unknown> {
  readonly #host: MutationHost
  readonly #options: BaseMutationOptions<TInput, TData, TContext, never>
  #state: MutationState<TData> = derived(IDLE)
  readonly #listeners = new Set<(state: MutationState<TData>) => unknown>()
  #calls = 0

  /** Made by `client.mutation(options)`. */
  constructor(host: MutationHost, options: BaseMutationOptions<TInput, TData, TContext, never>) {
    assertMutationOptions(options)
    this.#host = host
    this.#options = options
  }

  get state(): MutationState<TData> {
    return this.#state
  }

  /** Makes the change; resolves to what `mutationFn` gave, rejects with its last error. */
  async mutate(input: TInput): Promise<TData> {
    const { clock, client } = this.#host
    const { onMutate, onSuccess, onError, onSettled, meta } = this.#options
    const call = ++this.#calls
    const given = { client: client as never, meta }
    let context: TContext | undefined
    this.#update(call, { ...IDLE, status: 'pending', submittedAt: clock.now() })
    try {
      if (onMutate !== undefined) context = await onMutate(input, given)
      const data = await this.#attempt(call, input, given)
      this.#update(call, { status: 'success', data, error: null, settledAt: clock.now() })
      await this.#tell('onSuccess', () => onSuccess?.(data, input, context))
      await this.#tell('onSettled', () => onSettled?.(data, null, input, context))
      return data
    } catch (thrown) {
      const error = asError(thrown)
      this.#update(call, { status: 'error', error, settledAt: clock.now() })
      await this.#tell('onError', () => onError?.(error, input, context))
      await this.#tell('onSettled', () => onSettled?.(undefined, error, input, context))
      throw error
    }
  }

  /** Calls `listener` at once, synchronously, then at every change. Returns the function that ends it. */
  subscribe(listener: (state: MutationState<TData>) => unknown): () => void {
    // Wrapped, so that the same function may subscribe twice and leave once.
    const mine = (state: MutationState<TData>): unknown => listener(state)
    this.#listeners.add(mine)
    this.#host.logger.call('A listener', mine, this.#state)
    return () => {
      this.#listeners.delete(mine)
    }
  }

  /** Back to idle; a call that still runs goes on and settles its promise, but no longer shows. */
  reset(): void {
    this.#update(++this.#calls, IDLE)
  }

  async #attempt(call: number, input: TInput, given: MutationFnContext<never>): Promise<TData> {
    const { timers, logger } = this.#host
    const { mutationFn, retry = 0, retryDelay = this.#host.retryDelay } = this.#options
    for (let failures = 0; ; failures++) {
      try {
        return await mutationFn(input, given)
      } catch (thrown) {
        const error = asError(thrown)
        this.#update(call, { failureCount: failures + 1 })
        const delay = nextAttemptIn({ retry, retryDelay }, failures, error, logger)
        if (delay === null) throw error
        timers.hold()
        await timers.sleep(delay)
        timers.release()
        if (this.#host.isClosed()) throw error
      }
    }
  }

  async #tell(name: string, callback: () => unknown): Promise<void> {
    try {
      await callback()
    } catch (error) {
      this.#host.logger.error(`${name} of a mutation threw.`, error)
    }
  }

  #update(call: number, change: Partial<Bare<TData>>): void {
    if (call !== this.#calls) return
    const state = derived({ ...this.#state, ...change })
    this.#state = state
    for (const listener of [...this.#listeners]) {
      // A listener has changed it again: all have been told of what is newer, so the older must not follow.
      if (this.#state !== state) return
      if (this.#listeners.has(listener)) this.#host.logger.call('A listener', listener, state)
    }
  }
}

function derived<TData>(state: Bare<TData>): MutationState<TData> {
  const { status } = state
  return {
    ...state,
    isIdle: status === 'idle',
    isPending: status === 'pending',
    isSuccess: status === 'success',
    isError: status === 'error',
  }
}

function assertMutationOptions<I, D, C>(options: BaseMutationOptions<I, D, C, never>): void {
  if (typeof options?.mutationFn !== 'function') {
    throw new InvalidOptionError(`Invalid mutationFn: ${String(options?.mutationFn)}; expected a function.`)
  }
  for (const name of ['onMutate', 'onSuccess', 'onError', 'onSettled'] as const)
    assertFunction(name, options[name])
  assertRetry(options.retry, options.retryDelay)
}
