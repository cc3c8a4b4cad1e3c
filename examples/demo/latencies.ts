/**
 * Latencies by the thousand in little memory: how many fell into each bucket, the buckets 2 % wide, so that a quantile
 * is right within 1 %. Plain data, to be sent and added up.
 */

/** Bucket to number of latencies. */
export type Latencies = Map<number, number>

const LEAST = 1e-4
const WIDTH = Math.log(1.02)

/** @param latency milliseconds */
export function record(latencies: Latencies, latency: number): void {
  const bucket = Math.floor(Math.log(Math.max(latency, LEAST) / LEAST) / WIDTH)
  latencies.set(bucket, (latencies.get(bucket) ?? 0) + 1)
}

export function addLatencies(into: Latencies, more: Latencies): void {
  for (const [bucket, count] of more) into.set(bucket, (into.get(bucket) ?? 0) + count)
}

export function countOf(latencies: Latencies): number {
  let count = 0
  for (const each of latencies.values()) count += each
  return count
}

/** Milliseconds; `undefined` where there are none. @param share 0.5 for the median */
export function quantile(latencies: Latencies, share: number): number | undefined {
  let left = Math.ceil(countOf(latencies) * share)
  for (const [bucket, count] of [...latencies].sort(([a], [b]) => a - b)) {
    left -= count
    if (left <= 0) return LEAST * Math.exp((bucket + 0.5) * WIDTH)
  }
  return undefined
}
