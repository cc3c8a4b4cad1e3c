/** A fleet of worker processes on `dist/`, and the origin that they share. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Origin } from './origin.mjs'

const MEMBER = fileURLToPath(new URL('member.mjs', import.meta.url))
const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

class Member {
  index
  process
  exited
  onDropped = () => {}
  #waiting = new Map()
  #lastId = 0

  constructor(index, setting, origin, execPath) {
    this.index = index
    this.process = fork(MEMBER, [JSON.stringify(setting)], {
      ...(execPath === undefined ? {} : { execPath }),
      serialization: 'json',
    })
    running.add(this.process)
    this.exited = once(this.process, 'exit').then(() => running.delete(this.process))
    this.process.on('message', (message) => void this.#hear(message, origin))
  }

  ready() {
    return Promise.race([
      once(this.process, 'message'),
      this.exited.then(() => {
        throw new Error('A worker has ended at its start.')
      }),
    ])
  }

  /** Calls a command of the worker. */
  call(name, ...args) {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.process.send({ id, name, args })
    })
  }

  signal(name) {
    this.process.kill(name)
  }

  async #hear(message, origin) {
    if (message.origin !== undefined) {
      let reply
      try {
        reply = { asked: message.asked, result: await origin.answer(message.origin, this.index) }
      } catch (error) {
        reply = { asked: message.asked, error: error.message }
      }
      if (this.process.connected) this.process.send(reply, () => {})
    } else if (message.dropped !== undefined) {
      this.onDropped(message.dropped, message.at)
    } else if (message.id !== undefined) {
      const { resolve, reject } = this.#waiting.get(message.id)
      this.#waiting.delete(message.id)
      if (message.error === undefined) resolve(message.result)
      else reject(new Error(message.error))
    }
  }
}

/** `places`: one for all members, or one each. */
export async function startFleet({
  size,
  place,
  places,
  config = {},
  origin = new Origin(),
  execPaths = [],
}) {
  const members = Array.from(
    { length: size },
    (_, i) => new Member(i, { place: plain(places?.[i] ?? place), config }, origin, execPaths[i]),
  )
  await Promise.all(members.map((member) => member.ready()))
  return {
    members,
    origin,
    all: (name, ...args) => Promise.all(members.map((member) => member.call(name, ...args))),
    /** All reads so far, of all members that answer. */
    async takeReads() {
      const taken = await Promise.all(members.map((member) => member.call('takeReads')))
      return taken.flatMap((reads, member) =>
        reads.map(([key, mode, start, end, began, version, error]) => ({
          key,
          mode,
          start,
          end,
          began,
          version,
          member,
          error,
        })),
      )
    },
    async close() {
      for (const { process: child } of members) {
        child.kill('SIGCONT')
        if (child.connected) child.disconnect()
      }
      const force = setTimeout(() => {
        for (const member of members) member.signal('SIGKILL')
      }, 5_000)
      await Promise.all(members.map((member) => member.exited))
      clearTimeout(force)
    },
  }
}

function plain({ kind, options, sentinel }) {
  return { kind, options, sentinel }
}
