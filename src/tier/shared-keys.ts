/**
 * The keys of a batch that several may ask for, each once. A few are found along a list, which costs less than a map would.
 */

const FEW = 8

export class SharedKeys {
  readonly #keys: string[] = []
  /** Where each of them stands, once they are many. */
  #places: Map<string, number> | null = null

  /** In the order in which they were added. */
  get all(): readonly string[] {
    return this.#keys
  }

  add(key: string): void {
    if (this.placeOf(key) !== -1) return
    const place = this.#keys.push(key) - 1
    if (this.#places !== null) this.#places.set(key, place)
    else if (place === FEW) this.#places = new Map(this.#keys.map((each, i) => [each, i]))
  }

  /** -1 = it has not been added. */
  placeOf(key: string): number {
    if (this.#places !== null) return this.#places.get(key) ?? -1
    for (let i = 0; i < this.#keys.length; i++) if (this.#keys[i] === key) return i
    return -1
  }
}
