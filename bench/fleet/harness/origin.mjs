/** The one origin of a fleet, in the parent: answers with a version of its own each time, and knows every call. */

import { moment, sleep } from './moment.mjs'

export class Origin {
  /** `{ key, version, member, began, ended }`, in the order of their coming. */
  calls = []
  #delay

  /** `delay`: milliseconds of one call, or a function of the call that resolves when it may be answered. */
  constructor(delay = 50) {
    this.#delay = delay
  }

  async answer(key, member) {
    const call = {
      key,
      version: this.calls.length + 1,
      member,
      began: moment(),
      ended: Number.POSITIVE_INFINITY,
    }
    this.calls.push(call)
    await (typeof this.#delay === 'function' ? this.#delay(call) : sleep(this.#delay))
    call.ended = moment()
    return call.version
  }

  callsOf(key) {
    return this.calls.filter((call) => call.key === key)
  }

  /** The most calls of one key that ever ran at a time. */
  get mostAtOnce() {
    const byKey = Map.groupBy?.(this.calls, ({ key }) => key) ?? groupBy(this.calls)
    let most = 0
    for (const calls of byKey.values()) {
      for (const { began } of calls) {
        most = Math.max(most, calls.filter((other) => other.began <= began && other.ended > began).length)
      }
    }
    return most
  }
}

function groupBy(calls) {
  const groups = new Map()
  for (const call of calls) groups.set(call.key, [...(groups.get(call.key) ?? []), call])
  return groups
}
