import { expect, test } from 'vitest'
import { backoff } from './backoff.ts'

test('pauses double from the base, between their half and their whole, up to the longest', () => {
  for (let attempt = 0; attempt < 2_000; attempt += attempt < 20 ? 1 : 333) {
    const whole = Math.min(100 * 2 ** attempt, 5_000)
    expect(backoff(attempt, 100, 5_000, () => 0)).toBe(whole / 2)
    expect(backoff(attempt, 100, 5_000, () => 0.5)).toBe(whole * 0.75)
    expect(backoff(attempt, 100, 5_000, () => 1)).toBe(whole)
  }
})
