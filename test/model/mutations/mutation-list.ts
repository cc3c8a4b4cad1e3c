/**
 * Bugs made on purpose, each a small change of the sources, with the promise that it breaks. A checker that does not
 * catch them is worth nothing; a change of the sources that makes one of them inapplicable must bring its successor.
 *
 * Long because: it is a table.
 */

export interface Mutation {
  readonly name: string
  readonly promise: string
  /** Below src/. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'capture taken at the end of the fetch',
    promise: 'P4',
    file: 'fetching/fetch.ts',
    find: 'this.#succeed(data, capture)',
    replace:
      'this.#succeed(data, tier !== null && this.#options.storage !== false ? tier.capture(query) : capture)',
  },
  {
    name: 'a pending token is captured under',
    promise: 'P4',
    file: 'tier/generations.ts',
    find: 'if (known === undefined || (mustBeSettled && known.isPending)) return null',
    replace: 'if (known === undefined) return null',
  },
  {
    name: 'absent tokens count as equal',
    promise: 'P4',
    file: 'tier/storage-tier.ts',
    find: 'if (text === null || answered === null) return null\n',
    replace: `if (text === null) return null
    if (answered === null && this.#generations.current(tokenKeys) === null) {
      const lenient = decodeEnvelope(text, this.#settings.serializer)
      return 'envelope' in lenient ? { ...lenient.envelope, isInvalidated: false } : null
    }
    if (answered === null) return null\n`,
  },
  {
    name: 'hard tokens are not compared',
    promise: 'P4',
    file: 'tier/storage-tier.ts',
    find: 'if (current === null || current.hard !== hard || (answered ?? current).hard !== hard) return null',
    replace: 'if (current === null) return null',
  },
  {
    name: 'soft and hard mixed: an invalidation replaces the hard token alone where a removal should',
    promise: 'P4',
    file: 'tier/generations.ts',
    find: "i % 2 === (kind === 'hard' ? 0 : 1)",
    replace: 'i % 2 === 1',
  },
  {
    name: 'soft tokens are not compared',
    promise: 'P4',
    file: 'tier/storage-tier.ts',
    find: 'const isInvalidated = current.soft !== soft || (answered ?? current).soft !== soft',
    replace: 'const isInvalidated = false',
  },
  {
    name: 'a removal replaces the token of the key, not the one of what is below it',
    promise: 'P4',
    file: 'tier/generations.ts',
    find: 'if (!isExact) this.#push(pairs, prefix, key.length)',
    replace: '',
  },
  {
    name: 'the answer of an older read replaces a newer known token',
    promise: 'P4',
    file: 'tier/generations.ts',
    find: 'if (known !== undefined && (known.isPending || known.seq > seq)) return',
    replace: 'void seq',
  },
  {
    name: 'what L2 answered for the tokens is not looked at while one is pending here',
    promise: 'P4',
    file: 'tier/storage-tier.ts',
    find: 'const answered = areLearned ? this.#generations.answered(tokenKeys, answers) : null',
    replace: 'const answered = areLearned ? undefined : null',
  },
  {
    name: 'a token whose write has failed is sent again as it was',
    promise: 'P4',
    file: 'tier/pending-write.ts',
    find: 'if (this.isToken && this.#order !== null) this.value = this.#order.produce()',
    replace: '',
  },
  {
    name: 'data set before a removal is captured after it',
    promise: 'P4',
    file: 'tier/storage-tier.ts',
    find: 'early ?? this.#generations.captureSince(tokenKeys, madeAt)',
    replace: 'early ?? this.#generations.captureSince(tokenKeys, Infinity + madeAt)',
  },
  {
    name: 'the write of an invalidation is not waited for',
    promise: 'P4',
    file: 'tier/storage-tier.ts',
    find: 'await this.#within(() => Promise.all(written), undefined)',
    replace: 'void written',
  },
  {
    name: 'a removal does not reach what a soft invalidation has overtaken',
    promise: 'P4',
    file: 'client/query-client.ts',
    find: '    query.removals++\n    if (query.observers',
    replace: '    if (query.observers',
  },
  {
    name: 'late data of L2 replaces newer data of L1',
    promise: 'P7',
    file: 'fetching/plan.ts',
    find: "if (held.data !== undefined && held.dataUpdatedAt >= stored.dataUpdatedAt) return 'ignore'",
    replace: '',
  },
  {
    name: 'an overtaken fetch is stored as fresh',
    promise: 'P5',
    file: 'fetching/fetch.ts',
    find: "state.dataReceived(query.held, data, 'origin', now, true)",
    replace: "state.dataReceived(query.held, data, 'origin', now, false)",
  },
  {
    name: 'calls after an invalidation join the overtaken fetch',
    promise: 'P5',
    file: 'fetching/fetch.ts',
    find: "if (kind === 'soft' && this.#state === 'preparing') return false",
    replace: "if (kind === 'soft') return false",
  },
  {
    name: 'a removal leaves a running fetch attached',
    promise: 'P5',
    file: 'client/query-client.ts',
    find: "    query.fetch?.overtake('hard')\n",
    replace: '',
  },
  {
    name: 'an outage loses the writes that it meets',
    promise: 'P6',
    file: 'tier/write-behind.ts',
    find: '        this.#defer(write, this.#now() + BUSY_PAUSE)\n',
    replace: '        this.#remove(write)\n        write.done()\n',
  },
  {
    name: 'two writes of one key are under way',
    promise: 'P6',
    file: 'tier/write-behind.ts',
    find: 'if (lostAt > now) this.#defer(write, lostAt)\n        else ',
    replace: 'void lostAt\n        ',
  },
  {
    name: 'drops are not counted',
    promise: 'P6',
    file: 'tier/storage-tier.ts',
    find: 'if (capture === null) this.#writes.countDropped()',
    replace: '',
  },
  {
    name: 'what overflows the queue is not counted',
    promise: 'P6',
    file: 'tier/write-behind.ts',
    find: '    this.#remove(write)\n    this.#dropped++\n',
    replace: '    this.#remove(write)\n',
  },
  {
    name: 'a failed batch counts as written',
    promise: 'P6',
    file: 'tier/write-behind.ts',
    find: '      if (outcome.isOk) {\n',
    replace: '      if (outcome.isOk || writes.length > 1) {\n',
  },
  {
    name: 'what fails is never tried again',
    promise: 'P6',
    file: 'tier/write-behind.ts',
    find: 'for (const write of this.#failing) if (write.notBefore <= now) this.#ready(write)',
    replace: '',
  },
  {
    name: 'waits of failed writes go by the wall clock',
    promise: 'P6',
    file: 'tier/write-behind.ts',
    find: 'return clock.monotonic?.() ?? clock.now()',
    replace: 'return clock.now()',
  },
  {
    name: 'the circuit never closes',
    promise: 'P3',
    file: 'tier/storage-guard.ts',
    find: 'const outage = this.#breaker.endProbe(isGood, clock.now())',
    replace: 'const outage = this.#breaker.endProbe(isGood && false, clock.now())',
  },
  {
    name: 'callers probe: an open circuit lets calls through',
    promise: 'P3',
    file: 'tier/storage-guard.ts',
    find: "return this.#breaker.state.name === 'closed' && !this.#isClosed",
    replace: 'return !this.#isClosed',
  },
  {
    name: 'reads have no deadline',
    promise: 'P3',
    file: 'tier/storage-tier.ts',
    find: 'const deadline = timers.after(limit, giveUp)',
    replace: 'const deadline = timers.after(limit + 100_000, giveUp)',
  },
  {
    name: 'a time-out does not open the circuit',
    promise: 'P3',
    file: 'tier/storage-guard.ts',
    find: "else if (outcome.reason === 'timeout') this.#open(operation, outcome.error)",
    replace: "else if (outcome.reason === 'timeout') void 0",
  },
  {
    name: 'a throwing store is not caught',
    promise: 'P3',
    file: 'tier/storage-guard.ts',
    find: '      } catch (cause) {\n        failure(cause)',
    replace: '      } catch (cause) {\n        throw cause',
  },
  {
    name: 'two origin calls of a key at a time',
    promise: 'P8',
    file: 'fetching/fetch.ts',
    find: 'if (this.#predecessor !== undefined) await this.#predecessor.gone',
    replace: '',
  },
  {
    name: 'a corrupt envelope is thrown',
    promise: 'P10',
    file: 'tier/envelope.ts',
    find: "    return { reason: 'corrupt (no JSON)' }",
    replace: "    throw new Error('corrupt')",
  },
  {
    name: 'prototype pollution passes',
    promise: 'P10',
    file: 'tier/envelope.ts',
    find: 'MAY_HIDE_PROTO.test(text) && hasProto(data)',
    replace: 'MAY_HIDE_PROTO.test(text) && hasProto(null)',
  },
  {
    name: 'a moment that is no number is taken',
    promise: 'P10',
    file: 'tier/envelope.ts',
    find: "  if (typeof t !== 'number' || !(t >= 0) || !Number.isFinite(t)) return { reason: 'corrupt (dataUpdatedAt)' }\n",
    replace: '',
  },
  {
    name: 'no bound on operations in flight',
    promise: 'P11',
    file: 'tier/storage-guard.ts',
    find: '|| this.#inFlight >= MAX_IN_FLIGHT',
    replace: '',
  },
  {
    name: 'a timer for every alarm',
    promise: 'P11',
    file: 'resilience/timer-queue.ts',
    find: '  #arm(due: number): void {\n    this.#disarm()\n',
    replace: '  #arm(due: number): void {\n',
  },
  {
    name: 'a value is changed by the serializer',
    promise: 'P12',
    file: 'tier/json-serializer.ts',
    find: "    assertCarried(value, '', [])\n",
    replace: '',
  },
]
