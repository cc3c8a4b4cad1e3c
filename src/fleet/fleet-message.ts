/**
 * What workers tell each other: keys, never values. JSON strings, checked on the way in: a log may hold anything. Updates
 * that follow each other share a string: a burst of writes is not to fill the log. Pure.
 */

const MOST_UPDATES = 64
/** Characters of keys in one string. */
const LONGEST = 8_192

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

type Update = Extract<FleetMessage, { readonly type: 'updated' }>
export type Notice = Exclude<FleetMessage, Update>

/** What an update says of a key, in a message. */
export function subjectOf(key: CanonicalKey): string {
  return JSON.stringify(key)
}

/** An update, as `encodeMessages` takes it. */
export function encodeUpdate(subject: string, dataUpdatedAt: number): string {
  return `${dataUpdatedAt},${subject}`
}

/** A string is an encoded update. */
export function encodeMessages(sender: Sender, messages: readonly (Notice | string)[]): string[] {
  const head = headOf(sender)
  const texts: string[] = []
  let updates: string[] = []
  let length = 0
  const flush = (): void => {
    if (updates.length > 0) texts.push(`${head}"u",${updates.join(',')}]`)
    updates = []
    length = 0
  }
  for (const message of messages) {
    if (typeof message !== 'string') {
      flush()
      texts.push(head + tailOf(message))
      continue
    }
    if (updates.length === MOST_UPDATES || length + message.length > LONGEST) flush()
    updates.push(message)
    length += message.length
  }
  flush()
  return texts
}

/** None, where the string is not for this worker, its own, or none of ours. */
export function decodeMessages(sender: Sender, text: string): FleetMessage[] {
  // Most of what a worker hears may be its own.
  if (typeof text !== 'string' || !text.startsWith('[1,') || text.startsWith(headOf(sender))) return []
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch {
    return []
  }
  if (!Array.isArray(fields) || fields[1] !== sender.namespace || fields[2] === sender.worker) return []
  const [, , , type, detail, keys] = fields as unknown[]
  if ((type === 'h' || type === 's') && Array.isArray(keys) && keys.every(isCanonicalKey)) {
    return [{ type: 'invalidated', kind: type === 'h' ? 'hard' : 'soft', isExact: detail === true, keys }]
  }
  if (type === 'u') return updatesIn(fields)
  return type === 'l' ? [{ type: 'lost' }] : []
}

function headOf({ namespace, worker }: Sender): string {
  return `[1,${JSON.stringify(namespace)},${JSON.stringify(worker)},`
}

function tailOf(message: Notice): string {
  if (message.type === 'lost') return '"l"]'
  const { kind, isExact, keys } = message
  return `"${kind === 'hard' ? 'h' : 's'}",${isExact},${JSON.stringify(keys)}]`
}

/** Moment and key by turns. */
function updatesIn(fields: readonly unknown[]): Update[] {
  const updates: Update[] = []
  for (let i = 4; i + 1 < fields.length; i += 2) {
    const dataUpdatedAt = fields[i]
    const key = fields[i + 1]
    if (typeof dataUpdatedAt !== 'number' || !isCanonicalKey(key)) return []
    updates.push({ type: 'updated', key, dataUpdatedAt })
  }
  return updates
}

function isCanonicalKey(value: unknown): value is CanonicalKey {
  return Array.isArray(value) && value.every((part) => typeof part === 'string')
}
