import { describe, expect, test } from 'vitest'
import { CircuitBreaker } from './circuit-breaker.ts'

const breaker = () => new CircuitBreaker(() => 1)

describe('a circuit breaker', () => {
  test('is closed at first, and a probe is nobody’s business then', () => {
    const circuit = breaker()
    circuit.startProbe()
    expect(circuit.state).toEqual({ name: 'closed' })
    expect(circuit.endProbe(false, 5)).toBe(null)
    expect(circuit.state).toEqual({ name: 'closed' })
  })

  test('says once that it has opened, and keeps the moment', () => {
    const circuit = breaker()
    expect([circuit.open(1_000), circuit.open(2_000)]).toEqual([true, false])
    expect(circuit.state).toEqual({ name: 'open', since: 1_000, probes: 0, pause: 250 })
    circuit.startProbe()
    expect(circuit.open(3_000)).toBe(false)
    expect(circuit.state).toEqual({ name: 'probing', since: 1_000, probes: 1 })
  })

  test('closes by a good probe, and tells for how long it was open', () => {
    const circuit = breaker()
    circuit.open(1_000)
    circuit.startProbe()
    expect(circuit.endProbe(true, 4_500)).toBe(3_500)
    expect(circuit.state).toEqual({ name: 'closed' })
    expect(circuit.open(9_000)).toBe(true)
  })

  test('opens again by a bad one, with pauses that grow to 5 s', () => {
    const circuit = breaker()
    circuit.open(0)
    const pauses: number[] = []
    for (let probe = 1; probe <= 7; probe++) {
      if (circuit.state.name === 'open') pauses.push(circuit.state.pause)
      circuit.startProbe()
      expect(circuit.endProbe(false, probe)).toBe(null)
    }
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
    expect(circuit.state).toMatchObject({ since: 0, probes: 7 })
  })

  test('asks ever more rarely in an outage of days', () => {
    const circuit = breaker()
    const day = 86_400_000
    circuit.open(0)
    circuit.startProbe()
    circuit.endProbe(false, day)
    expect(circuit.state).toMatchObject({ pause: 86_400 })
  })
})
