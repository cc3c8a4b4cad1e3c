/**
 * What a store does with an operation. A weather is a kind of behaviour, a fate what becomes of one operation in it.
 * Pure, but for the source of randomness that it is given.
 */

import { STORAGE_TIMEOUT } from './timing.ts'

export type Weather =
  | 'calm'
  | 'jitter'
  | 'slow'
  | 'slow-answers'
  | 'flaky'
  | 'lost-answers'
  | 'late-refusals'
  | 'mute'
  | 'down'
  | 'throws'
  | 'garbage'
  | 'storm'

export const WEATHERS: readonly Weather[] = [
  'calm',
  'jitter',
  'slow',
  'slow-answers',
  'flaky',
  'lost-answers',
  'late-refusals',
  'mute',
  'down',
  'throws',
  'garbage',
  'storm',
]

export interface Fate {
  /** Milliseconds until it takes effect (a read: until it looks); `null` = it never does. */
  readonly effectIn: number | null
  /** Milliseconds from then to its answer, or from the call where it has no effect; `null` = it never answers. */
  readonly answerIn: number | null
  readonly answer: 'ok' | 'reject' | 'throw' | 'garbage'
  /** Of a batch: each key takes effect with this probability, and then it rejects. */
  readonly isPartial: boolean
}

const CALM: Fate = { effectIn: 0, answerIn: 0, answer: 'ok', isPartial: false }
const REFUSED: Fate = { effectIn: null, answerIn: 0, answer: 'reject', isPartial: false }
const THROWN: Fate = { effectIn: null, answerIn: 0, answer: 'throw', isPartial: false }

/** A write that was given up on takes effect at most this much later. */
const LATEST_EFFECT = 50_000

export function fateIn(weather: Weather, random: () => number): Fate {
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1))
  const jitter = (): Fate => ({ ...CALM, effectIn: between(0, 20), answerIn: between(0, 20) })
  const late = (): number => between(1, random() < 0.5 ? 500 : LATEST_EFFECT)
  switch (weather) {
    case 'calm':
      return CALM
    case 'jitter':
      return jitter()
    case 'slow':
      return { ...CALM, effectIn: between(0, STORAGE_TIMEOUT + 10), answerIn: between(0, 60) }
    case 'slow-answers':
      return { ...CALM, answerIn: between(STORAGE_TIMEOUT - 60, STORAGE_TIMEOUT - 1) }
    case 'flaky':
      if (random() < 0.3) return { ...REFUSED, answerIn: between(0, 20) }
      if (random() < 0.3) return { ...jitter(), answer: 'reject' }
      return random() < 0.3 ? { ...jitter(), isPartial: true } : jitter()
    case 'lost-answers':
      return random() < 0.5 ? { ...jitter(), answer: 'reject' } : { ...jitter(), answerIn: null }
    case 'late-refusals':
      return { ...jitter(), answer: 'reject' }
    case 'mute':
      if (random() < 0.4) return { ...CALM, effectIn: null, answerIn: null }
      return { ...CALM, effectIn: late(), answerIn: random() < 0.5 ? null : between(0, 20) }
    case 'down':
      return random() < 0.5 ? REFUSED : { ...REFUSED, answerIn: between(0, 20) }
    case 'throws':
      return THROWN
    case 'garbage':
      return random() < 0.6 ? { ...jitter(), answer: 'garbage' } : jitter()
    case 'storm': {
      const kind = WEATHERS[Math.floor(random() * (WEATHERS.length - 1))] as Weather
      return random() < 0.5 ? CALM : fateIn(kind, random)
    }
  }
}
