import type { MutationState, QueryClient } from 'stackquery'
import { equal } from './equal.ts'

declare const client: QueryClient

// The context of every callback is what onMutate gives, the input is mutationFn's.
const rename = client.mutation({
  mutationFn: async (input: { id: number; name: string }) => input.name.length,
  onMutate: async (input) => {
    equal<{ id: number; name: string }, typeof input>()
    return { before: 'text' }
  },
  onSuccess: (data, input, context) => {
    equal<number, typeof data>()
    equal<number, typeof input.id>()
    equal<{ before: string } | undefined, typeof context>()
  },
  onError: (error, _input, context) => {
    equal<Error, typeof error>()
    equal<{ before: string } | undefined, typeof context>()
  },
  onSettled: (data, error, _input, context) => {
    equal<number | undefined, typeof data>()
    equal<Error | null, typeof error>()
    equal<{ before: string } | undefined, typeof context>()
  },
})
const renamed = rename.mutate({ id: 1, name: 'Ann' })
equal<Promise<number>, typeof renamed>()
equal<MutationState<number>, typeof rename.state>()
rename.subscribe((state) => equal<MutationState<number>, typeof state>())
// @ts-expect-error: an input of another type
rename.mutate({ id: '1', name: 'Ann' })
// @ts-expect-error: an input is missing
rename.mutate()

// Without an input, mutate takes none.
const logOut = client.mutation({ mutationFn: async () => true })
const loggedOut = logOut.mutate()
equal<Promise<boolean>, typeof loggedOut>()

client.mutation({
  mutationFn: (input: string, context) => {
    equal<QueryClient, typeof context.client>()
    return input
  },
})
// @ts-expect-error: the change itself is needed
client.mutation({ onSuccess: () => {} })
// @ts-expect-error: unknown options are refused
client.mutation({ mutationFn: () => 1, retries: 3 })
