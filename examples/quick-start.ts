/** A query through two tiers of cache: the first example of the README. */

import { QueryClient } from 'stackquery'
import { SQLiteStorage } from 'stackquery/sqlite'

interface User {
  id: number
  name: string
}

let calls = 0
async function getUser(id: number, _signal: AbortSignal): Promise<User> {
  calls++ // your database or API
  return { id, name: 'Ada' }
}
function expectCalls(expected: number): void {
  if (calls !== expected) throw new Error(`expected ${expected} calls of the origin, got ${calls}`)
}

const client = new QueryClient({
  storage: new SQLiteStorage('cache.db'),
  staleTime: 30_000,
})
const user = (id: number) => ({
  queryKey: ['user', id],
  queryFn: ({ signal }: { signal: AbortSignal }) => getUser(id, signal),
})

// The first call asks the origin; the second one, and a hundred at once, are answered from memory.
console.log((await client.fetchQuery(user(123))).name)
await Promise.all(Array.from({ length: 100 }, () => client.fetchQuery(user(123))))
expectCalls(1)

// As if the process had restarted: L2 still knows it.
await client.flush()
client.clear()
await client.fetchQuery(user(123))
expectCalls(1)

// Gone from this worker, from L2, and from every worker's reads, with all keys that begin with 'user'.
await client.removeQueries(['user'])
await client.fetchQuery(user(123))
expectCalls(2)

await client.close()
