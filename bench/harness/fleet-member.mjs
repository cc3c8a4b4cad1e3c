/** One of the processes of the fleet question: 1,000 callers on one cold key, at the moment it is told. */

const CALLERS = 1_000
const [kind, place] = process.argv.slice(2)
const { QueryClient } = await import('stackquery')

async function storage() {
  if (kind === 'redis') {
    const { RedisStorage } = await import('stackquery/redis')
    return new RedisStorage(place)
  }
  const { SQLiteStorage } = await import('stackquery/sqlite')
  return new SQLiteStorage(place)
}

const client = new QueryClient({ storage: await storage(), staleTime: 60_000, storageTimeout: 5_000 })
// Connections and files are open before the race begins.
await client.getQueryDataAsync(['warm-up'])

process.on('message', async ({ key }) => {
  let calls = 0
  const queryFn = async () => {
    calls++
    await new Promise((resolve) => setTimeout(resolve, 50))
    return { key }
  }
  const started = performance.now()
  const data = await Promise.all(
    Array.from({ length: CALLERS }, () => client.fetchQuery({ queryKey: ['fleet', key], queryFn })),
  )
  const ms = performance.now() - started
  process.send({ calls, ms, isRight: data.every((each) => each.key === key) })
})
process.on('disconnect', async () => {
  await client.close()
  process.exit()
})
process.send('ready')
