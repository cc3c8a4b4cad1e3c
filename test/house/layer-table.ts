/**
 * The layers of src/, top to bottom: a file imports from its own row and from rows beneath it, never from above
 * or beside. Type imports count. ARCHITECTURE.md quotes this table; `layers.test.ts` holds it.
 */

export interface Layer {
  /** A file or folder of src/; `*` stands for one folder or file, each of which is a row of its own. */
  readonly path: string
  readonly holds: string
  /** Where present: the only rows that it may import, besides itself. Absent: every row beneath. */
  readonly only?: readonly string[]
  /** Rows beneath that it may not import. */
  readonly not?: readonly string[]
}

export const LAYERS: readonly Layer[] = [
  { path: 'integrations/*', holds: 'adapters to frameworks', only: ['index.ts'] },
  { path: 'cli', holds: 'the command line', not: ['index.ts'] },
  { path: 'devtools', holds: 'what shows a running client', not: ['index.ts'] },
  { path: 'testing', holds: 'conformance suite, chaos store, virtual clock', not: ['index.ts'] },
  { path: 'storages/*', holds: 'one store each', only: ['resilience', 'ports', 'errors.ts'] },
  { path: 'serializers/*', holds: 'one serializer each', only: ['ports', 'errors.ts'] },
  { path: 'index.ts', holds: 'the public names, nothing else' },
  { path: 'client', holds: 'the client: wiring, short methods and the functions around it' },
  { path: 'mutation', holds: 'mutations' },
  { path: 'fetching', holds: 'the plan of a read, the fetcher, retries' },
  { path: 'fleet', holds: 'the change feed and its peers, fleet-wide single flight' },
  { path: 'tier', holds: 'L2: guard, envelope, generations, write-behind' },
  { path: 'memory', holds: 'L1: cache, eviction, expiry' },
  { path: 'query', holds: 'one query: its state, freshness and observers' },
  { path: 'keys', holds: 'keys: canonical hash, prefix index', not: ['resilience'] },
  { path: 'resilience', holds: 'deadline, circuit breaker, backoff, bounded queue' },
  { path: 'ports', holds: 'interfaces to the outside', only: ['errors.ts'] },
  { path: 'errors.ts', holds: 'every error, each with its code' },
]

/** The row that a file of src/ belongs to; `path` is relative to src/, with `/`. */
export function layerOf(path: string): { readonly name: string; readonly rank: number } | undefined {
  for (const [rank, layer] of LAYERS.entries()) {
    const [folder, star] = layer.path.split('/')
    const [first, second] = path.split('/')
    if (folder !== first) continue
    if (star === undefined) return { name: layer.path, rank }
    if (second !== undefined) return { name: `${folder}/${second.replace(/\.tsx?$/, '')}`, rank }
  }
  return undefined
}

/** Why a file may not import another; undefined where it may. Both paths are relative to src/. */
export function forbidden(from: string, to: string): string | undefined {
  const source = layerOf(from)
  const target = layerOf(to)
  if (!source || !target)
    return `${source ? to : from} is in no layer: give it a row in test/house/layer-table.ts`
  if (source.name === target.name) return undefined
  const layer = LAYERS[source.rank] as Layer
  const targetPath = (LAYERS[target.rank] as Layer).path
  if (layer.only && !layer.only.includes(targetPath))
    return `${source.name} imports only ${layer.only.join(', ')}`
  if (layer.not?.includes(targetPath)) return `${source.name} must not import ${target.name}`
  if (target.rank <= source.rank) return `${target.name} is not beneath ${source.name}`
  return undefined
}
