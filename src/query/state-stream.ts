/**
 * A subscription as an async iterator that holds at most one value: the newest that nobody has asked for yet.
 * Subscribes at the first `next`, leaves at `return` or `throw`.
 */

export function latest<T>(subscribe: (listener: (value: T) => void) => () => void): AsyncIterableIterator<T> {
  let leave: (() => void) | null = null
  let newest: { readonly value: T } | null = null
  let isDone = false
  const asking: ((result: IteratorResult<T>) => void)[] = []

  const listen = (value: T): void => {
    const ask = asking.shift()
    if (ask === undefined) newest = { value }
    else ask({ done: false, value })
  }
  const finish = (): Promise<IteratorResult<T>> => {
    isDone = true
    newest = null
    leave?.()
    for (const ask of asking.splice(0)) ask({ done: true, value: undefined })
    return Promise.resolve({ done: true, value: undefined })
  }

  return {
    next() {
      if (isDone) return Promise.resolve({ done: true, value: undefined })
      leave ??= subscribe(listen)
      const { value } = newest ?? {}
      if (newest !== null) {
        newest = null
        return Promise.resolve({ done: false, value: value as T })
      }
      return new Promise((resolve) => asking.push(resolve))
    },
    return: finish,
    async throw(error) {
      await finish()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
