/** Medians, and ratios of rounds that were run side by side. Pure. */

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const below = sorted[Math.floor(at)]
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at))
}

export const median = (values) => quantile(values, 0.5)

/**
 * The median of the ratios of each round: both contestants of one round met the same machine, so a slow spell of it
 * changes neither their ratio nor the median.
 */
export function pairedRatio(row, base) {
  if (row === undefined || base === undefined) return undefined
  const rounds = Math.min(row.rounds.length, base.rounds.length)
  return median(Array.from({ length: rounds }, (_, i) => row.rounds[i] / base.rounds[i]))
}

export function significant(value, digits = 4) {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value
}
