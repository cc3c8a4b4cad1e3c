/** What a `queryFn` is called with. The signal is made when first looked at: most functions never do. */

import { ownKey } from '../keys/own-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import type { QueryFnContext } from '../query/query-options.ts'
import type { Held } from '../query/query-state.ts'

export class FetchContext implements QueryFnContext<unknown, unknown> {
  readonly client: unknown
  readonly meta: unknown
  readonly #query: { readonly key: QueryKey }
  readonly #held: Held
  readonly #abort: LazyAbort

  constructor(
    query: { readonly key: QueryKey },
    client: unknown,
    meta: unknown,
    held: Held,
    abort: LazyAbort,
  ) {
    this.#query = query
    this.client = client
    this.meta = meta
    this.#held = held
    this.#abort = abort
  }

  /** The function's own: the cache's is not for changing. */
  get queryKey(): QueryKey {
    return ownKey(this.#query.key)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get previous(): { readonly data: unknown; readonly dataUpdatedAt: number } | undefined {
    const { data, dataUpdatedAt } = this.#held
    return data === undefined ? undefined : { data, dataUpdatedAt }
  }
}

/** An `AbortController` that exists once someone asks for its signal. */
export class LazyAbort {
  #controller: AbortController | null = null
  #reason: Error | null = null

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#reason !== null) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#reason ??= reason
    this.#controller?.abort(this.#reason)
  }
}
