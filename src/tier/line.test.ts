import { expect, test } from 'vitest'
import { type InLine, Line } from './line.ts'

class Item implements InLine<Item> {
  line: Line<Item> | null = null
  before: Item | null = null
  behind: Item | null = null
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

function setUp() {
  const items = ['a', 'b', 'c', 'd'].map((name) => new Item(name))
  const line = new Line<Item>()
  for (const item of items) line.add(item)
  const [a, b, c, d] = items as [Item, Item, Item, Item]
  const names = (of = line) => [...of].map(({ name }) => name).join('')
  return { line, names, a, b, c, d }
}

test('who came first is first, and whoever stands anywhere can leave', () => {
  const { line, names, a, b, c, d } = setUp()
  expect([names(), line.first, line.size]).toEqual(['abcd', a, 4])
  line.remove(b)
  expect(names()).toBe('acd')
  line.remove(a)
  line.remove(d)
  expect([names(), line.first, line.size]).toEqual(['c', c, 1])
  line.remove(c)
  expect([names(), line.first, line.size]).toEqual(['', null, 0])
})

test('who stands in one line leaves it for another, or for its end', () => {
  const { line, names, a, b } = setUp()
  const other = new Line<Item>()
  other.add(b)
  other.add(a)
  expect([names(), names(other), line.size, other.size]).toEqual(['cd', 'ba', 2, 2])
  other.add(b)
  expect(names(other)).toBe('ab')
  // It does not stand here.
  line.remove(a)
  expect([names(), names(other)]).toEqual(['cd', 'ab'])
})

test('each may leave when its turn comes', () => {
  const { line, names } = setUp()
  const other = new Line<Item>()
  const met: string[] = []
  for (const item of line) {
    met.push(item.name)
    if (item.name === 'a') line.remove(item)
    else other.add(item)
  }
  expect([met.join(''), names(), names(other)]).toEqual(['abcd', '', 'bcd'])
})
