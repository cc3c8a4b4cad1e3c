import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Query } from '../query/query.ts'
import { Lane } from './lane.ts'

const step = fc.record({
  do: fc.constantFrom('add' as const, 'touch' as const, 'remove' as const),
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
      for (const [now, { do: what, n }] of steps.entries()) {
        const query = queries[n] as Query
        const isIn = model.includes(query)
        if (what === 'add' && !isIn) lane.add(query, now, now)
        else if (what === 'touch' && isIn) lane.touch(query, now, now)
        else if (what === 'remove' && isIn) lane.remove(query)
        else continue
        model = model.filter((each) => each !== query)
        if (what !== 'remove') model.push(query)
        expect(oldestFirst(lane)).toEqual(model)
        expect(query).toMatchObject(
          what === 'remove'
            ? { lane: null, newer: null, older: null }
            : { lane, lastUsed: now, useOrder: now, newer: null },
        )
      }
    }),
  )
})
