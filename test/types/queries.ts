import {
  type CachedQuery,
  dependentQuery,
  parallelQueries,
  QueryClient,
  type QueryFnContext,
  type QueryKey,
  type QueryOptions,
  type QueryState,
  query,
  queryOptions,
  type StandardSchemaV1,
  type TaggedKey,
} from 'stackquery'
import { equal } from './equal.ts'

interface User {
  id: number
  name: string
}
declare const client: QueryClient
declare const getUser: (id: number, signal?: AbortSignal) => Promise<User>

// fetchQuery infers from queryFn, also where it destructures its context or looks at `previous`.
const plain = await client.fetchQuery({ queryKey: ['user', 1], queryFn: () => getUser(1) })
equal<User, typeof plain>()
const withSignal = await client.fetchQuery({
  queryKey: ['user', 1],
  queryFn: ({ signal }) => getUser(1, signal),
})
equal<User, typeof withSignal>()
const withPrevious = await client.fetchQuery({
  queryKey: ['user', 1],
  queryFn: async ({ previous, signal }) => {
    if (previous !== undefined) equal<number, typeof previous.dataUpdatedAt>()
    return getUser(1, signal)
  },
})
equal<User, typeof withPrevious>()
const sync = await client.fetchQuery({ queryKey: ['n'], queryFn: ({ queryKey }) => queryKey.length })
equal<number, typeof sync>()
const unit = await client.prefetchQuery({ queryKey: ['n'], queryFn: () => 1 })
equal<void, typeof unit>()
await client.fetchQuery({
  queryKey: ['u'],
  queryFn: (context) => {
    equal<QueryClient, typeof context.client>()
    equal<AbortSignal, typeof context.signal>()
    equal<QueryKey, typeof context.queryKey>()
    return getUser(1)
  },
  onSuccess: (data) => equal<User, typeof data>(),
  onSettled: (data, error) => {
    equal<User | undefined, typeof data>()
    equal<Error | null, typeof error>()
  },
  onError: (error) => equal<Error, typeof error>(),
  retry: (count, error) => count < 3 && error.message !== '',
  initialData: { id: 1, name: 'Ann' },
})
const explicit = await client.fetchQuery<User>({
  queryKey: ['u'],
  queryFn: ({ previous }) => previous?.data ?? getUser(1),
})
equal<User, typeof explicit>()
declare const schema: StandardSchemaV1<User>
const validated = await client.fetchQuery({ queryKey: ['u'], queryFn: () => getUser(1), validate: schema })
equal<User, typeof validated>()
// @ts-expect-error: initial data of another type
client.fetchQuery<User>({ queryKey: ['u'], queryFn: () => getUser(1), initialData: 'Ann' })
// @ts-expect-error: a schema of another type
client.fetchQuery({ queryKey: ['u'], queryFn: () => 'text', validate: schema })
// @ts-expect-error: a query needs a key
client.fetchQuery({ queryFn: () => getUser(1) })
// @ts-expect-error: unknown options are refused
client.fetchQuery({ queryKey: ['u'], queryFn: () => getUser(1), cacheTime: 5 })
// @ts-expect-error: an observer's options are not a fetch's
client.fetchQuery({ queryKey: ['u'], queryFn: () => getUser(1), refetchInterval: 5 })
// @ts-expect-error: durations are numbers
client.fetchQuery({ queryKey: ['u'], queryFn: () => getUser(1), staleTime: '5s' })
// @ts-expect-error: unknown client options are refused
new QueryClient({ staleTimeout: 5 })
// @ts-expect-error: an unknown status in a filter
client.invalidateQueries({ status: 'success' })
// @ts-expect-error: a type that does not exist
client.invalidateQueries({ type: 'fetching' })

// Keys hold what has a canonical form, and nothing else.
client.getQueryData(['a', 1, true, null, 7n, new Date(), { b: [1, { c: undefined }] }, []])
client.getQueryData(['user', { page: 1 } as const] as const)
// @ts-expect-error: a key is an array
client.getQueryData('user')
// @ts-expect-error: functions have no canonical form
client.getQueryData([() => 1])
// @ts-expect-error: nor have symbols
client.getQueryData([Symbol('s')])
// @ts-expect-error: nor have Maps
client.getQueryData([new Map([['a', 1]])])
// @ts-expect-error: nor has undefined
client.getQueryData(['a', undefined])
// @ts-expect-error: nor has any of them deep inside
client.getQueryData(['a', { deep: [{ fn: () => 1 }] }])

// Untagged keys know nothing of their data; a type may be said.
const unknownData = client.getQueryData(['user', 1])
equal<unknown, typeof unknownData>()
const said = client.getQueryData<User>(['user', 1])
equal<User | undefined, typeof said>()

// The key of queryOptions knows the type of its data.
const options = queryOptions({ queryKey: ['user', 1], queryFn: ({ signal }) => getUser(1, signal) })
const cached = client.getQueryData(options.queryKey)
equal<User | undefined, typeof cached>()
const later = client.getQueryDataAsync(options.queryKey)
equal<Promise<User | undefined>, typeof later>()
const fetched = client.fetchQuery(options)
equal<Promise<User>, typeof fetched>()
client.setQueryData(options.queryKey, { id: 1, name: 'Ann' })
client.setQueryData(options.queryKey, (old) => {
  equal<User | undefined, typeof old>()
  return old
})
// @ts-expect-error: wrong data under a tagged key
client.setQueryData(options.queryKey, 'Ann')
// @ts-expect-error: an updater that gives wrong data
client.setQueryData(options.queryKey, (old) => old?.name)
// @ts-expect-error: options are checked here, too
queryOptions({ queryKey: ['u'], queryFn: () => 1, stale: 5 })
const tag: TaggedKey<User> = options.queryKey
client.invalidateQueries(options.queryKey)
client.invalidateQueries({ queryKey: options.queryKey, exact: true })

// watch: what select derives is what the observer shows.
const observer = client.watch({ queryKey: ['u'], queryFn: () => getUser(1) })
equal<User | undefined, typeof observer.result.data>()
const selecting = client.watch({
  queryKey: ['u'],
  queryFn: ({ signal }) => getUser(1, signal),
  select: (user) => {
    equal<User, typeof user>()
    return user.name.length
  },
  placeholderData: { id: 0, name: '' },
  refetchInterval: (state) => (state.data?.id === 7 ? false : 1_000),
})
equal<number | undefined, typeof selecting.result.data>()
selecting.subscribe((state) => equal<QueryState<number>, typeof state>())
for await (const { data } of selecting) equal<number | undefined, typeof data>()
const byOptions = client.watch(options)
equal<User | undefined, typeof byOptions.result.data>()
client.watch<User, string>({
  queryKey: ['u'],
  select: (user) => user.name,
  // @ts-expect-error: placeholder data is of the query's type, not of the selected one
  placeholderData: 'Ann',
})
// @ts-expect-error: the result is not for changing
observer.result.data = undefined

// parallelQueries: a tuple, whatever the functions look like.
declare const ready: QueryOptions<Date>
declare const contextual: (context: QueryFnContext<string, QueryClient>) => Promise<string>
const tuple = await parallelQueries(
  client,
  { queryKey: ['a'], queryFn: () => getUser(1) },
  { queryKey: ['b'], queryFn: async ({ signal }) => signal.aborted },
  { queryKey: ['c'], queryFn: () => 'text' },
  { queryKey: ['d'], queryFn: contextual },
  ready,
  options,
)
equal<[User, boolean, string, string, Date, User], typeof tuple>()
const list = await parallelQueries(
  client,
  ...[1, 2].map((id) => ({ queryKey: ['user', id], queryFn: () => getUser(id) })),
)
equal<User[], typeof list>()
// @ts-expect-error: unknown options are refused
parallelQueries(client, { queryKey: ['a'], queryFn: () => 1, stale: 5 })
// @ts-expect-error: so are wrong ones
parallelQueries(client, { queryKey: ['a'], queryFn: () => 1 }, { queryKey: ['b'], staleTime: '5s' })

// dependentQuery: the second's data, from the first's.
const team = await dependentQuery(client, {
  dependsOn: { queryKey: ['user'], queryFn: ({ signal }) => getUser(1, signal) },
  then: (user) => {
    equal<User, typeof user>()
    return { queryKey: ['team', user.id], queryFn: async () => `team of ${user.name}` }
  },
})
equal<string, typeof team>()

// query: the function keeps its parameters.
const byId = query(client, (id: number) => ['user', id], { staleTime: 1_000 })((id: number) => getUser(id))
equal<CachedQuery<[id: number], User>, typeof byId>()
const one = byId(1)
equal<Promise<User>, typeof one>()
const held = byId.getData(1)
equal<User | undefined, typeof held>()
const under = client.getQueryData(byId.options(1).queryKey)
equal<User | undefined, typeof under>()
// @ts-expect-error: a parameter of another type
byId('1')
// @ts-expect-error: a parameter that is missing
byId.invalidate()
// @ts-expect-error: options of the query that do not exist
query(client, ['a'], { stale: 5 })
const settings = query(client, ['settings'])(async () => ({ dark: true }))
const dark = settings()
equal<Promise<{ dark: boolean }>, typeof dark>()
// @ts-expect-error: without parameters in the key, the function has none
query(client, ['settings'])((id: number) => id)
