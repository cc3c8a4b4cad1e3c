/**
 * Readers and invalidators at work, and the checker that knows them all.
 *
 * All members read 40 keys in 5 groups at random; `publishers` invalidate keys and groups, softly and hard, one after the
 * other, and each is told to the checker once it is acknowledged.
 */

import { Checker } from './checker.mjs'
import { sleep } from './moment.mjs'

const GROUPS = 5
const MEMBERS_OF_GROUP = 8
export const KEYS = Array.from({ length: GROUPS * MEMBERS_OF_GROUP }, (_, i) => [
  'item',
  Math.floor(i / MEMBERS_OF_GROUP),
  i % MEMBERS_OF_GROUP,
])

export class Traffic {
  checker = new Checker()
  #fleet
  #publishers
  #reads = []
  #isOn = true
  #done
  #pause
  #kinds

  constructor(fleet, { publishers = fleet.members, pause = 30, kinds = ['hard', 'soft'] } = {}) {
    this.#fleet = fleet
    this.#publishers = publishers
    this.#pause = pause
    this.#kinds = kinds
  }

  async start() {
    await this.#fleet.all('startLoad', { keys: KEYS, batch: 8, pause: 5 })
    this.#done = Promise.all(this.#publishers.map((member) => this.#publish(member)))
  }

  /** No further invalidations; resolves when the last has been acknowledged. */
  async calm() {
    this.#isOn = false
    await this.#done
  }

  /** Ends it; returns the reads that were stale, and how many there were. */
  async end() {
    await this.calm()
    await this.#fleet.all('stopLoad')
    this.#reads.push(...(await this.#fleet.takeReads()))
    return {
      reads: this.#reads.length,
      failed: this.#reads.filter(({ began }) => began === null),
      stale: this.checker.staleReads(this.#reads),
    }
  }

  async #publish(member) {
    while (this.#isOn) {
      const some = (list) => list[Math.floor(Math.random() * list.length)]
      const isGroup = Math.random() < 0.3
      const key = isGroup ? ['item', Math.floor(Math.random() * GROUPS)] : some(KEYS)
      const kind = some(this.#kinds)
      const { calledAt, ackedAt } = await member.call('invalidate', key, kind)
      const covered = KEYS.filter((each) => each[1] === key[1] && (isGroup || each[2] === key[2]))
      const keys = covered.map((each) => JSON.stringify(each))
      this.checker.acknowledged({ keys, kind, member: member.index, calledAt, ackedAt })
      await sleep(Math.random() * 2 * this.#pause)
    }
  }
}
