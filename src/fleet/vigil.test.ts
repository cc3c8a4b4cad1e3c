import { expect, it } from 'vitest'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { Vigil } from './vigil.ts'

function watched(patience = 3_000) {
  const clock = new VirtualClock()
  const doubts: number[] = []
  const start = clock.now()
  const vigil = new Vigil({
    timers: new TimerQueue(clock),
    now: () => clock.now(),
    patience,
    onDoubt: () => doubts.push(clock.now() - start),
  })
  return { clock, vigil, doubts }
}

it('does not doubt as long as it hears in time', async () => {
  const { clock, vigil, doubts } = watched()
  for (let i = 0; i < 10; i++) {
    await clock.advance(2_000)
    vigil.heard(500)
  }
  expect(doubts).toEqual([])
  expect(vigil.isDoubtful).toBe(false)
})

it('doubts when what it knows has grown too old, and again after as long', async () => {
  const { clock, vigil, doubts } = watched()
  await clock.advance(2_000)
  vigil.heard(500)
  await clock.advance(8_400)
  expect(doubts).toEqual([4_500, 7_500])
  expect(vigil.isDoubtful).toBe(true)
})

it('takes an answer that lay unread for what it is worth: the age of its question', async () => {
  const { clock, vigil, doubts } = watched()
  await clock.advance(3_000)
  vigil.heard(3_000)
  expect(vigil.isDoubtful).toBe(true)
  await clock.advance(500)
  vigil.heard(100)
  expect(vigil.isDoubtful).toBe(false)
  await clock.advance(2_800)
  expect(doubts).toEqual([3_000])
  await clock.advance(200)
  expect(doubts).toEqual([3_000, 6_400])
})

it('never doubts where it is not to, nor after its end', async () => {
  const endless = watched(Number.POSITIVE_INFINITY)
  const closed = watched()
  closed.vigil.close()
  await Promise.all([endless.clock.advance(1e9), closed.clock.advance(1e9)])
  expect([...endless.doubts, ...closed.doubts]).toEqual([])
})
