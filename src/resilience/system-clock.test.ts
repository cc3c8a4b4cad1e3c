import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { systemClock } from './system-clock.ts'

test('tells the time of the platform', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000)
  const before = systemClock.monotonic?.() as number
  expect(systemClock.monotonic?.()).toBeGreaterThanOrEqual(before)
})

test('a timer keeps no process alive and knows of no request', async () => {
  const requests = new AsyncLocalStorage<string>()
  const seen = await requests.run('request 1', () => {
    return new Promise((resolve) => {
      const handle = systemClock.setTimeout(() => resolve(requests.getStore()), 0) as NodeJS.Timeout
      expect(handle.hasRef()).toBe(false)
      // Something has to.
      setTimeout(() => {}, 50)
    })
  })
  expect(seen).toBeUndefined()
})

test('a cleared timer does not ring', async () => {
  let isRung = false
  systemClock.clearTimeout(
    systemClock.setTimeout(() => {
      isRung = true
    }, 0),
  )
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(isRung).toBe(false)
})
