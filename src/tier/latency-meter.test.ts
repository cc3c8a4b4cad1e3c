import { expect, test } from 'vitest'
import { LatencyMeter } from './latency-meter.ts'

test('counts operations by their end, with the mean and the longest of their latencies', () => {
  const meter = new LatencyMeter()
  expect(meter.stats()).toEqual({ count: 0, failures: 0, timeouts: 0, meanLatency: 0, maxLatency: 0 })
  meter.record(10, 'ok')
  meter.record(40, 'failure')
  meter.record(250, 'timeout')
  meter.record(0, 'refused')
  expect(meter.stats()).toEqual({ count: 4, failures: 1, timeouts: 1, meanLatency: 75, maxLatency: 250 })
})
