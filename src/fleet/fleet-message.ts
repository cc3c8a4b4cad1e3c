/**
 * What workers tell each other: keys, never values. One JSON string per message, checked on the way in: a log may hold
 * anything. Pure.
 */

/** A key, as the canonical strings of its parts. */
export type CanonicalKey = readonly string[]

export type FleetMessage =
  | {
      readonly type: 'invalidated'
      readonly kind: 'hard' | 'soft'
      /** The keys alone, nothing below them. */
      readonly isExact: boolean
      readonly keys: readonly CanonicalKey[]
    }
  /** L2 has newer data of `key`. */
  | { readonly type: 'updated'; readonly key: CanonicalKey; readonly dataUpdatedAt: number }
  /** More was changed than could be told. */
  | { readonly type: 'lost' }

export interface Sender {
  readonly namespace: string
  /** Unlike any other worker's. */
  readonly worker: string
}

export function encodeMessage({ namespace, worker }: Sender, message: FleetMessage): string {
  switch (message.type) {
    case 'invalidated':
      return JSON.stringify([
        1,
        namespace,
        worker,
        message.kind === 'hard' ? 'h' : 's',
        message.isExact,
        message.keys,
      ])
    case 'updated':
      return JSON.stringify([1, namespace, worker, 'u', message.dataUpdatedAt, message.key])
    case 'lost':
      return JSON.stringify([1, namespace, worker, 'l'])
  }
}

/** `null`: not for this worker, its own, or no message of ours. */
export function decodeMessage({ namespace, worker }: Sender, text: string): FleetMessage | null {
  if (typeof text !== 'string' || !text.startsWith('[1,')) return null
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(fields) || fields[1] !== namespace || fields[2] === worker) return null
  const [, , , type, detail, keys] = fields as unknown[]
  if ((type === 'h' || type === 's') && Array.isArray(keys) && keys.every(isCanonicalKey)) {
    return { type: 'invalidated', kind: type === 'h' ? 'hard' : 'soft', isExact: detail === true, keys }
  }
  if (type === 'u' && typeof detail === 'number' && isCanonicalKey(keys)) {
    return { type: 'updated', key: keys, dataUpdatedAt: detail }
  }
  return type === 'l' ? { type: 'lost' } : null
}

function isCanonicalKey(value: unknown): value is CanonicalKey {
  return Array.isArray(value) && value.every((part) => typeof part === 'string')
}
