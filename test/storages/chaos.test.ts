import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, type Garbage, VirtualClock } from '../../src/testing/index.ts'

const entries = (count: number) => Array.from({ length: count }, (_, n) => ({ key: `k${n}`, value: `v${n}` }))

function setUp(seed = 1) {
  const clock = new VirtualClock()
  const memory = new MemoryStorage({ clock })
  return { clock, memory, chaos: new ChaosStorage(memory, { clock, seed }) }
}

describe('ChaosStorage', () => {
  it('has exactly the capabilities of the backend it wraps', () => {
    const map = new Map<string, string>()
    const bare: StorageBackend = {
      get: (key) => map.get(key),
      set: (key, value) => map.set(key, value),
      delete: (key) => map.delete(key),
    }
    const names = ['getMany', 'setMany', 'deleteMany', 'add', 'keys', 'feed', 'lease', 'close'] as const
    expect([...names, 'snapshot'].filter((name) => name in new ChaosStorage(bare))).toEqual([])
    expect(names.filter((name) => new ChaosStorage(new MemoryStorage())[name] === undefined)).toEqual([])
    const { acquire, release } = new MemoryStorage().lease
    expect(new ChaosStorage({ ...bare, lease: { acquire, release } }).lease).not.toHaveProperty('renew')
  })

  it('counts calls, hangs for ever, and can be healed with the hung calls left, answered or given up', async () => {
    const { chaos, clock } = setUp()
    await chaos.set('a', '1')
    chaos.fault({ kind: 'hang' }, { operations: ['get', 'set'] })
    const settled: unknown[] = []
    void Promise.resolve(chaos.get('a')).then((value) => settled.push(value))
    void Promise.resolve(chaos.set('a', '2')).then(() => settled.push('set'))
    await clock.advance(1_000_000)
    expect([settled.length, chaos.hanging, chaos.inFlight, chaos.mostInFlight]).toEqual([0, 2, 2, 2])
    chaos.heal()
    expect(await chaos.get('a')).toBe('1')
    await clock.settle()
    expect([settled.length, chaos.hanging, chaos.calls.get, chaos.calls.set]).toEqual([0, 2, 2, 2])
    chaos.heal({ hanging: 'answer' })
    await clock.settle()
    expect(settled).toEqual(['1', 'set'])
    expect(await chaos.get('a')).toBe('2')
    chaos.fault({ kind: 'hang' })
    const given = Promise.resolve(chaos.delete('a'))
    const outcome = expect(given).rejects.toThrow('chaos: delete(a) hung until it was given up')
    await clock.settle()
    chaos.heal({ hanging: 'reject' })
    await outcome
    expect([await chaos.get('a'), chaos.inFlight]).toEqual(['2', 0])
  })

  it('rejects, and throws synchronously, without touching the backend', async () => {
    const { chaos, memory } = setUp()
    const off = chaos.fault({ kind: 'reject', error: new TypeError('gone') }, { operations: ['set'] })
    await expect(chaos.set('a', '1')).rejects.toThrow(TypeError)
    off()
    await chaos.set('a', '1')
    chaos.fault({ kind: 'throw' }, { keys: (key) => key === 'b' })
    expect(() => chaos.set('b', '1')).toThrow('chaos: set(b) threw')
    expect(() => chaos.getMany?.(['a', 'b'])).toThrow('chaos')
    expect(await memory.getMany(['a', 'b'])).toEqual(['1', null])
  })

  it.each<[Garbage, (value: unknown) => boolean]>([
    [
      'truncated',
      (value) => '{"a":"long enough"}'.startsWith(value as string) && value !== '{"a":"long enough"}',
    ],
    ['text', (value) => typeof value === 'string' && value.length === 64],
    ['wrong-type', (value) => typeof value !== 'string'],
    ['foreign-json', (value) => !('a' in Object(JSON.parse(value as string)))],
    ['oversized', (value) => (value as string).length > 8_000_000],
    ['prototype', (value) => /__proto__|prototype/.test(value as string)],
  ])('answers garbage: %s', async (garbage, isSo) => {
    const { chaos, memory } = setUp()
    await memory.set('a', '{"a":"long enough"}')
    chaos.fault({ kind: 'garbage', garbage }, { operations: ['get'] })
    for (let round = 0; round < 5; round += 1) expect(isSo(await chaos.get('a'))).toBe(true)
    expect(await memory.get('a')).toBe('{"a":"long enough"}')
  })

  it('answers batches of the wrong length or type', async () => {
    const { chaos } = setUp()
    const off = chaos.fault({ kind: 'garbage', garbage: 'wrong-length' })
    expect(await chaos.getMany?.(['a', 'b'])).not.toHaveLength(2)
    off()
    chaos.fault({ kind: 'garbage', garbage: 'wrong-type' })
    const seen: unknown[] = []
    for (let round = 0; round < 20; round += 1) seen.push(await chaos.getMany?.(['a', 'b']))
    expect(seen.some((answer) => !Array.isArray(answer))).toBe(true)
  })

  it('is slow by a fixed or random delay, in virtual time', async () => {
    const { chaos, clock } = setUp()
    const done: number[] = []
    const start = clock.now()
    chaos.fault({ kind: 'delay', delay: 100 }, { operations: ['get'] })
    chaos.fault({ kind: 'delay', delay: [10, 20] }, { operations: ['set'] })
    void Promise.resolve(chaos.get('a')).then(() => done.push(clock.now() - start))
    void Promise.resolve(chaos.set('a', '1')).then(() => done.push(clock.now() - start))
    await clock.advance(9)
    expect(done).toEqual([])
    await clock.advance(91)
    expect(done[0]).toBeGreaterThanOrEqual(10)
    expect(done[0]).toBeLessThanOrEqual(20)
    expect(done[1]).toBe(100)
  })

  it('flaps by a repeating pattern, and by a probability that its seed repeats', async () => {
    const run = async (seed: number, when: number | boolean[]) => {
      const { chaos } = setUp(seed)
      chaos.fault({ kind: 'reject' }, { operations: ['get'], when })
      let outcomes = ''
      for (let call = 0; call < 24; call += 1) {
        outcomes += await Promise.resolve(chaos.get('a')).then(
          () => '.',
          () => 'x',
        )
      }
      return outcomes
    }
    expect(await run(1, [true, true, false])).toBe('xx.'.repeat(8))
    const first = await run(7, 0.5)
    expect(first).toMatch(/x.*\.|\..*x/)
    expect(await run(7, 0.5)).toBe(first)
    expect(await run(8, 0.5)).not.toBe(first)
    expect(await run(7, 0)).toBe('.'.repeat(24))
    expect(await run(7, 1)).toBe('x'.repeat(24))
  })

  it('writes a part of a batch, then rejects', async () => {
    const { chaos, memory } = setUp()
    chaos.fault({ kind: 'partial' })
    await expect(chaos.setMany?.(entries(20))).rejects.toThrow('half-way')
    expect(memory.size).toBeGreaterThan(0)
    expect(memory.size).toBeLessThan(20)
    const before = memory.size
    await expect(chaos.deleteMany?.(entries(20).map(({ key }) => key))).rejects.toThrow('half-way')
    expect(memory.size).toBeGreaterThan(0)
    expect(memory.size).toBeLessThan(before)
    await chaos.set('single', 'is whole')
    expect(await memory.get('single')).toBe('is whole')
  })

  it('dies after the write but before the answer', async () => {
    const { chaos, clock, memory } = setUp()
    chaos.fault({ kind: 'lost-answer' }, { keys: (key) => key === 'a' })
    chaos.fault({ kind: 'lost-answer', answer: 'reject' }, { keys: (key) => key === 'b' })
    void chaos.set('a', '1')
    await expect(chaos.set('b', '2')).rejects.toThrow('its answer lost')
    await clock.settle()
    expect([await memory.get('a'), await memory.get('b'), chaos.hanging]).toEqual(['1', '2', 1])
  })

  it('loses keys before reads and after acknowledged writes', async () => {
    const { chaos, memory } = setUp()
    await memory.setMany(entries(3))
    chaos.fault({ kind: 'lose' }, { operations: ['get'] })
    expect(await chaos.get('k0')).toBeNull()
    expect(await memory.getMany(['k0', 'k1'])).toEqual([null, 'v1'])
    chaos.heal()
    chaos.fault({ kind: 'lose' }, { operations: ['setMany'] })
    await chaos.setMany?.(entries(2))
    expect(await memory.getMany(['k0', 'k1', 'k2'])).toEqual([null, null, 'v2'])
  })

  it('cuts followers off, delivers late in order, and tells lost messages as a gap', async () => {
    const { chaos, clock, memory } = setUp()
    const heard: string[] = []
    await chaos.feed?.follow(
      (messages) => heard.push(...messages),
      (reason) => heard.push(reason),
    )
    chaos.fault({ kind: 'hang' }, { operations: ['deliver'], when: [true, false] })
    await memory.feed.append(['1'])
    await clock.settle()
    await memory.feed.append(['2'])
    await clock.settle()
    expect(heard).toEqual([])
    chaos.heal({ hanging: 'answer' })
    await clock.settle()
    expect(heard).toEqual(['1', '2'])
    chaos.fault({ kind: 'lose' }, { operations: ['deliver'] })
    await memory.feed.append(['3'])
    await clock.settle()
    expect(heard.at(-1)).toBe('messages were lost on the way')
  })

  it('applies faults to leases, keys and close', async () => {
    const { chaos, clock } = setUp()
    chaos.fault({ kind: 'reject' }, { operations: ['add', 'acquire', 'renew', 'keys', 'close'] })
    await expect(chaos.add?.('a', '1')).rejects.toThrow('chaos: add(a)')
    await expect(chaos.lease?.renew?.('a', 'token', 10)).rejects.toThrow('chaos: renew(a)')
    await expect(chaos.lease?.acquire('a', 10)).rejects.toThrow('chaos: acquire(a)')
    await expect(chaos.keys?.('a')[Symbol.asyncIterator]().next()).rejects.toThrow('chaos: keys(a)')
    await expect(chaos.close?.()).rejects.toThrow('chaos')
    chaos.heal()
    await chaos.close?.()
    await clock.settle()
    await expect(chaos.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  it('refuses a seed that is no integer', () => {
    expect(() => new ChaosStorage(new MemoryStorage(), { seed: 0.5 })).toThrow(InvalidOptionError)
  })
})
