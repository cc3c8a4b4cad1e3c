import { expect, test } from 'vitest'
import { Gate } from './gate.ts'

test('so many run at a time, the others in the order of their coming, however many there are', async () => {
  const gate = new Gate(3)
  const order: number[] = []
  let running = 0
  let most = 0
  const works = Array.from({ length: 2_500 }, (_, n) =>
    gate.pass(async () => {
      most = Math.max(most, ++running)
      order.push(n)
      await undefined
      running--
      return n
    }),
  )
  expect(running).toBe(3)
  expect(await Promise.all(works)).toEqual(Array.from({ length: 2_500 }, (_, n) => n))
  expect(order).toEqual(Array.from({ length: 2_500 }, (_, n) => n))
  expect([most, running]).toEqual([3, 0])
})

test('work that fails leaves its place to the next', async () => {
  const gate = new Gate(1)
  const failed = gate.pass(() => Promise.reject(new Error('no')))
  const next = gate.pass(async () => 'yes')
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('yes')
  expect(await gate.pass(async () => 'again')).toBe('again')
})
