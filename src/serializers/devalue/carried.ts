/** What devalue would carry as something else, and where it is. Pure; imports nothing. */

/** How deep the chain of prototypes of a built-in object is; a subclass has one more. */
const VIEW_DEPTH = 3
const BUILT_IN_DEPTH = 2

/** Why `value` would come back changed; `undefined` where it would not, or where devalue says so itself. */
export function changeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const prototype = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    if (depthOf(prototype) > BUILT_IN_DEPTH) return instance(value)
    // Indices come first.
    const last = Object.keys(value).at(-1)
    const isIndex = last === undefined || String(Number(last) >>> 0) === last
    return isIndex ? undefined : 'an array with properties of its own'
  }
  const depth = depthOf(prototype)
  if (depth < BUILT_IN_DEPTH) return undefined
  const tag = Object.prototype.toString.call(value)
  if (tag === '[object Object]') return instance(value)
  const isView = ArrayBuffer.isView(value) && !(value instanceof DataView)
  if (depth > (isView ? VIEW_DEPTH : BUILT_IN_DEPTH)) return instance(value)
  // The characters of a boxed string are properties of its own.
  if (isView || tag === '[object String]' || Object.keys(value).length === 0) return undefined
  return `${instance(value)} with properties of its own`
}

/** A view of a part of a buffer; the rest of it may hold anything, as that of a pool does. */
export function isPartialView(value: unknown): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    value.byteLength < value.buffer.byteLength &&
    depthOf(Object.getPrototypeOf(value)) === VIEW_DEPTH
  )
}

/** Where `wanted` is in `root`: `.name`, `[index]`, `.get(key)` or `.values()[index]` for each step. */
export function pathOf(wanted: unknown, root: unknown): string {
  const seen = new Set<unknown>()
  const waiting: [value: unknown, path: string][] = [[root, '']]
  for (const [value, path] of waiting) {
    if (value === wanted) return path
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    if (value instanceof Map) {
      for (const [key, item] of value)
        waiting.push([key, `${path}.keys()`], [item, `${path}.get(${nameOf(key)})`])
    } else if (value instanceof Set) {
      ;[...value].forEach((item, i) => {
        waiting.push([item, `${path}.values()[${i}]`])
      })
    } else if (Array.isArray(value)) {
      value.forEach((item, i) => {
        waiting.push([item, `${path}[${i}]`])
      })
    } else if (!ArrayBuffer.isView(value)) {
      for (const [name, item] of Object.entries(value)) waiting.push([item, `${path}.${name}`])
    }
  }
  return ''
}

function depthOf(prototype: unknown): number {
  let depth = 0
  for (let next = prototype; next !== null; next = Object.getPrototypeOf(next)) depth++
  return depth
}

function instance(value: object): string {
  return `an instance of ${value.constructor?.name ?? 'a class'}`
}

function nameOf(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? '…' : String(key)
}
