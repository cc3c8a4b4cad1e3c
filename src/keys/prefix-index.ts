/**
 * A trie by key part: finds a value by its key, and all values under a key prefix, without hashing the key and
 * without scanning the rest.
 *
 * Invariants: a branch holds at least one child (the root excepted); a value without longer keys below it hangs
 * in its parent's map directly, so that a leaf costs one map slot. Knows keys, nothing of queries.
 */

import { assertIsKey, canonicalPart } from './hash-key.ts'
import type { KeyPlace } from './key-place.ts'
import { ownPart } from './own-key.ts'
import type { KeyPart, QueryKey } from './query-key.ts'

/** What a part is looked up by: a primitive stands for itself, anything else for its canonical string. */
type IndexPart = string | number | boolean | null | bigint

class Branch<V> implements KeyPlace {
  readonly above: KeyPlace | null
  readonly part: KeyPart
  hashStart: string | null = null
  value: V | undefined = undefined
  readonly children = new Map<IndexPart, V | Branch<V>>()

  constructor(above: KeyPlace | null, part: KeyPart) {
    this.above = above
    this.part = part
  }
}

export class PrefixIndex<V extends object> {
  #root = new Branch<V>(null, null)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @throws InvalidQueryKeyError */
  get(key: QueryKey): V | undefined {
    const node = this.#descend(key)
    return node instanceof Branch ? node.value : node
  }

  /**
   * Puts what `make` makes under `key`; what was there is replaced. It is told the place of the key, whose parts are
   * copied, so that nobody else can change them; the place tells the key for as long as anyone holds on to it.
   */
  add(key: QueryKey, make: (above: KeyPlace | null, part: KeyPart) => V): V {
    assertIsKey(key)
    let branch = this.#root
    if (key.length === 0) {
      if (branch.value === undefined) this.#size++
      branch.value = make(null, null)
      return branch.value
    }
    // All parts first: an invalid one must not leave half a path behind.
    const parts = key.map(indexPart)
    const last = parts.length - 1
    for (let i = 0; i < last; i++) {
      const part = parts[i] as IndexPart
      const child = branch.children.get(part)
      if (child instanceof Branch) {
        branch = child
      } else {
        const next = new Branch<V>(branch, ownPart(key[i] as KeyPart))
        next.value = child
        branch.children.set(part, next)
        branch = next
      }
    }
    const value = make(branch, ownPart(key[last] as KeyPart))
    const part = parts[last] as IndexPart
    const child = branch.children.get(part)
    if (child instanceof Branch) {
      if (child.value === undefined) this.#size++
      child.value = value
    } else {
      if (child === undefined) this.#size++
      branch.children.set(part, value)
    }
    return value
  }

  delete(key: QueryKey): boolean {
    assertIsKey(key)
    const before = this.#size
    this.#deleteBelow(this.#root, key, 0)
    return this.#size < before
  }

  /** Every value whose key begins with `prefix`, as a list that later changes do not touch. */
  under(prefix: QueryKey): V[] {
    return listed(this.#descend(prefix))
  }

  /** `get`, of a key that came as the canonical strings of its parts. */
  getCanonical(parts: readonly string[]): V | undefined {
    const node = this.#descendCanonical(parts)
    return node instanceof Branch ? node.value : node
  }

  /** `under`, of a prefix that came as the canonical strings of its parts. */
  underCanonical(parts: readonly string[]): V[] {
    return listed(this.#descendCanonical(parts))
  }

  clear(): void {
    this.#root = new Branch<V>(null, null)
    this.#size = 0
  }

  #descend(key: QueryKey): V | Branch<V> | undefined {
    assertIsKey(key)
    let node: V | Branch<V> | undefined = this.#root
    for (let i = 0; i < key.length; i++) {
      const part = indexPart(key[i] as KeyPart, i)
      // No early return: the parts that follow are still to be validated.
      node = node instanceof Branch ? node.children.get(part) : undefined
    }
    return node
  }

  #descendCanonical(parts: readonly string[]): V | Branch<V> | undefined {
    let node: V | Branch<V> | undefined = this.#root
    for (const part of parts) node = node instanceof Branch ? node.children.get(parsedPart(part)) : undefined
    return node
  }

  #deleteBelow(branch: Branch<V>, key: QueryKey, depth: number): void {
    if (depth === key.length) {
      if (branch.value !== undefined) this.#size--
      branch.value = undefined
      return
    }
    const part = indexPart(key[depth] as KeyPart, depth)
    const child = branch.children.get(part)
    if (child instanceof Branch) {
      this.#deleteBelow(child, key, depth + 1)
      if (child.children.size === 0) {
        if (child.value === undefined) branch.children.delete(part)
        else branch.children.set(part, child.value)
      }
    } else if (child !== undefined && depth === key.length - 1) {
      branch.children.delete(part)
      this.#size--
    }
  }
}

function listed<V>(node: V | Branch<V> | undefined): V[] {
  const found: V[] = []
  if (node !== undefined) collect(node, found)
  return found
}

function collect<V>(node: V | Branch<V>, found: V[]): void {
  if (!(node instanceof Branch)) {
    found.push(node)
    return
  }
  if (node.value !== undefined) found.push(node.value)
  for (const child of node.children.values()) collect(child, found)
}

function indexPart(part: KeyPart, position: number): IndexPart {
  switch (typeof part) {
    case 'string':
      // NUL marks canonical strings, so a string of the user's that begins with one gets a mark of its own.
      return part.charCodeAt(0) === 0 ? `\0"${part}` : part
    case 'number':
      if (!Number.isNaN(part)) return part
      break
    case 'boolean':
    case 'bigint':
      return part
    case 'object':
      if (part === null) return part
  }
  return `\0${canonicalPart(part, position)}`
}

/** The inverse of `canonicalPart`, as far as the index needs it: objects, arrays and dates stay canonical strings. */
function parsedPart(text: string): IndexPart {
  if (text.startsWith('"')) return indexPart(JSON.parse(text) as string, 0)
  if (text === 'null') return null
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^-?\d+n$/.test(text)) return BigInt(text.slice(0, -1))
  const number = Number(text)
  return Number.isNaN(number) ? `\0${text}` : number
}
