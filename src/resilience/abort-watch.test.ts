import { expect, it } from 'vitest'
import { AbortWatch } from './abort-watch.ts'

it('an abort watch has one listener per signal, exactly while somebody waits', () => {
  const { signal } = new AbortController()
  const listeners: string[] = []
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  Object.assign(signal, {
    addEventListener: (...given: Parameters<typeof add>) => {
      listeners.push('added')
      add(...given)
    },
    removeEventListener: (...given: Parameters<typeof remove>) => {
      listeners.push('removed')
      remove(...given)
    },
  })
  const watch = new AbortWatch()
  const leaves = [1, 2, 3].map(() => watch.add(signal, () => {}))
  for (const leave of leaves) leave()
  leaves[0]?.()
  expect(listeners).toEqual(['added', 'removed'])
  watch.add(signal, () => {})()
  expect(listeners).toEqual(['added', 'removed', 'added', 'removed'])
})

it('an abort watch tells everyone once, also who was about to be left behind by another', () => {
  const controller = new AbortController()
  const watch = new AbortWatch()
  const told: string[] = []
  watch.add(controller.signal, () => {
    told.push('first')
    leaveSecond()
  })
  const leaveSecond = watch.add(controller.signal, () => told.push('second'))
  const leaveThird = watch.add(controller.signal, () => told.push('third'))
  controller.abort()
  leaveThird()
  expect(told).toEqual(['first', 'third'])
})
