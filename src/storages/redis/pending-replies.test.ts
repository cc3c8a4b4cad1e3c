import { afterEach, describe, expect, test, vi } from 'vitest'
import { asItIs, PendingReplies } from './pending-replies.ts'

afterEach(() => void vi.useRealTimers())

function setUp(replyTimeout = 100) {
  const busy: boolean[] = []
  const stalled: string[] = []
  const pending = new PendingReplies(replyTimeout, {
    setBusy: (isBusy) => void busy.push(isBusy),
    stalled: (error) => void stalled.push(error.message),
  })
  const settled: string[] = []
  const track = (name: string, size = 0) => {
    let answer = (_: string): void => {}
    const reply = new Promise<string>((resolve) => {
      answer = resolve
    })
    pending.track(size, reply, asItIs).then(
      (reply) => settled.push(`${name}: ${reply}`),
      (error: Error) => settled.push(`${name}: ${error.message}`),
    )
    return answer
  }
  return { pending, busy, stalled, settled, track }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await undefined
}

describe('what is pending', () => {
  test.each([[0], [1], [2]])('is all that was not answered, whichever of three was (%i)', async (place) => {
    const { pending, busy, settled, track } = setUp()
    const answers = ['a', 'b', 'c'].map((name) => track(name))
    answers[place]?.('yes')
    await settle()
    track('d')
    pending.rejectAll(new Error('lost'))
    answers[place]?.('again')
    for (const answer of answers) answer('late')
    await pending.drained()
    await settle()
    const names = ['a', 'b', 'c', 'd'] as const
    const others = names.filter((_, i) => i !== place)
    expect(settled).toEqual([`${names[place]}: yes`, ...others.map((name) => `${name}: lost`)])
    expect(busy).toEqual([true, false])
  })

  test('is rejected where its reply cannot be read', async () => {
    const { pending, busy } = setUp()
    const read = (reply: unknown): unknown => (reply as string[]).map(String)
    await expect(pending.track(0, Promise.resolve(null), read)).rejects.toMatchObject({
      name: 'StorageError',
      cause: expect.any(TypeError),
    })
    expect(busy).toEqual([true, false])
  })

  test('is given up for want of a reply, each at its age', async () => {
    vi.useFakeTimers()
    const { busy, stalled, settled, track } = setUp(100)
    const long = track('long', 1_000_000)
    track('first')
    await vi.advanceTimersByTimeAsync(60)
    track('second')
    await vi.advanceTimersByTimeAsync(65)
    expect(settled).toEqual(['first: Redis left a command unanswered for 100 ms'])
    await vi.advanceTimersByTimeAsync(60)
    expect(settled).toHaveLength(2)
    expect([stalled.length, busy]).toEqual([2, [true]])
    long('at last')
    await settle()
    expect([settled.at(-1), busy]).toEqual(['long: at last', [true, false]])
  })
})
