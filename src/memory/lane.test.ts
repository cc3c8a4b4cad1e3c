import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Query } from '../query/query.ts'
import { Lane } from './lane.ts'

const step = fc.record({
  do: fc.constantFrom('add' as const, 'renew' as const, 'remove' as const),
  n: fc.integer({ min: 0, max: 7 }),
})

function oldestFirst(lane: Lane): Query[] {
  const found: Query[] = []
  for (let query = lane.oldest; query !== null; query = query.newer) found.push(query)
  return found
}

it('a lane is a list in the order of use', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const lane = new Lane(100)
      const queries = Array.from(
        { length: 8 },
        (_, n) => new Query({ above: null, part: null, hashStart: null }, n),
      )
      let model: Query[] = []
      for (const { do: what, n } of steps) {
        const query = queries[n] as Query
        const isIn = model.includes(query)
        if (isIn === (what === 'add')) continue
        if (isIn) lane.remove(query)
        if (what !== 'remove') lane.add(query)
        model = model.filter((each) => each !== query)
        if (what !== 'remove') model.push(query)
        expect(oldestFirst(lane)).toEqual(model)
        expect(query.newer).toBe(null)
        if (what === 'remove') expect(query.older).toBe(null)
      }
    }),
  )
})
