/** 8 processes with 1,000 callers each on one cold key: how often the origin is called. */

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { emptyFolder } from '../harness/folder.mjs'
import { startRedis } from '../harness/redis-server.mjs'

const PROCESSES = 8
const CALLERS = 1_000
const MEMBER = fileURLToPath(new URL('../harness/fleet-member.mjs', import.meta.url))
let server

const fleet = (kind) => async (settings) => {
  const place = kind === 'redis' ? settings.url : join(emptyFolder(), 'fleet.db')
  const members = Array.from({ length: PROCESSES }, () => fork(MEMBER, [kind, place]))
  await Promise.all(members.map((member) => once(member, 'message')))
  let round = 0
  return {
    n: PROCESSES * CALLERS,
    async round() {
      const key = `${process.pid}.${round++}`
      const results = await Promise.all(
        members.map(async (member) => {
          const answer = once(member, 'message')
          member.send({ key })
          return (await answer)[0]
        }),
      )
      assert.ok(results.every(({ isRight }) => isRight))
      const ms = Math.max(...results.map((result) => result.ms))
      return {
        ms,
        'origin calls': results.reduce((sum, { calls }) => sum + calls, 0),
        'ms until all have it': ms,
      }
    },
    async close() {
      const gone = Promise.all(members.map((member) => once(member, 'exit')))
      for (const member of members) member.disconnect()
      await gone
    },
  }
}

export const question = {
  name: 'fleet',
  title: '8 processes with 1,000 callers each on one cold key',
  unit: 'caller',
  isCold: true,
  rounds: (pace) => (pace.isQuick ? 3 : 7),
  async setUp() {
    server = await startRedis()
    return { url: server.url }
  },
  tearDown: () => server.stop(),
  cases: { redis: { stackquery: fleet('redis') }, sqlite: { stackquery: fleet('sqlite') } },
}
