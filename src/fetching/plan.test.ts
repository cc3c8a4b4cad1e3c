import { describe, expect, it } from 'vitest'
import { dataReceived, EMPTY, invalidated } from '../query/query-state.ts'
import { planCall, planStored } from './plan.ts'

const held = dataReceived(EMPTY, 'data', 'origin', 1_000, false)
const stored = {
  data: 'stored',
  dataUpdatedAt: 2_000,
  isInvalidated: false,
  generations: { hard: '', soft: '' },
}

describe('planCall', () => {
  it.each([
    ['fresh data', held, 100, 'serve', 1_099, 'serve'],
    ['fresh data, whenStale wait', held, 100, 'wait', 1_099, 'serve'],
    ['stale data', held, 100, 'serve', 1_100, 'refresh'],
    ['stale data, whenStale wait', held, 100, 'wait', 1_100, 'wait'],
    ['invalidated data', invalidated(held), Number.POSITIVE_INFINITY, 'serve', 1_000, 'refresh'],
    ['no data', EMPTY, Number.POSITIVE_INFINITY, 'serve', 1_000, 'wait'],
    ['falsy data', { ...held, data: 0 }, 0, 'serve', 1_000, 'refresh'],
  ] as const)('%s', (_, query, staleTime, whenStale, now, plan) => {
    expect(planCall(query, staleTime, whenStale, now)).toBe(plan)
  })
})

describe('planStored', () => {
  it.each([
    ['fresh, L1 empty', EMPTY, stored, 100, 2_099, 'settle'],
    ['stale, L1 empty', EMPTY, stored, 100, 2_100, 'refresh'],
    ['invalidated', EMPTY, { ...stored, isInvalidated: true }, Number.POSITIVE_INFINITY, 2_000, 'refresh'],
    ['newer than L1', held, stored, 100, 2_000, 'settle'],
    ['as old as L1', held, { ...stored, dataUpdatedAt: 1_000 }, 100, 1_000, 'ignore'],
    ['older than L1', held, { ...stored, dataUpdatedAt: 999 }, 5_000, 1_000, 'ignore'],
    ['staleTime 0', EMPTY, stored, 0, 2_000, 'refresh'],
  ] as const)('%s', (_, query, answer, staleTime, now, plan) => {
    expect(planStored(query, answer, staleTime, now)).toBe(plan)
  })
})
