// @ts-check
/**
 * The formula of docs/scale.md, fitted to what was measured, in commands a second on the server:
 *
 *   feed = 2 N max(1, 1 / (1/m + d))   each worker reads once in 1/m + d, and never less than once a second
 *   rest = a N x + b m + c N w
 *
 * with N workers, m messages a second, d the pause between two reads of the feed, x L1 misses a second and worker, and w
 * removals a second (of keys that all workers want again at once, and wait for).
 */

/** @typedef {{ workers: number, writes: number, messages: number, misses: number, commands: number, feed: number }} Measured */

/** Seconds. @param {number} workers */
export function pauseOf(workers) {
  return Math.min(0.2, 0.012 + 55e-6 * workers)
}

/** @param {number} workers @param {number} messages */
export function feedCommands(workers, messages) {
  return 2 * workers * Math.max(1, 1 / (1 / messages + pauseOf(workers)))
}

/** @param {readonly Measured[]} measured */
export function fit(measured) {
  const termsOf = ({ workers, writes, messages, misses }) => [workers * misses, messages, workers * writes]
  // Least squares of relative errors, by the normal equations.
  const rows = measured.map((each) => {
    const rest = each.commands - each.feed
    return termsOf(each).map((term) => term / rest)
  })
  const matrix = [0, 1, 2].map((i) => [0, 1, 2].map((j) => sum(rows.map((row) => row[i] * row[j]))))
  const factors = solved(
    matrix,
    [0, 1, 2].map((i) => sum(rows.map((row) => row[i]))),
  )
  const lines = measured.map((each) => {
    const { workers, messages, writes, commands } = each
    const rest = sum(termsOf(each).map((term, i) => term * factors[i]))
    const guess = feedCommands(workers, messages) + rest
    const ratio = (guess / commands).toFixed(2)
    return `${workers} workers, ${writes} removals/s: ${commands.toFixed(0)} simulated, ${guess.toFixed(0)} by the formula, ${ratio} x`
  })
  const [a, b, c] = factors.map((factor) => factor.toFixed(2))
  return [
    `commands/s = 2 N max(1, 1 / (1/m + d)) + ${a} N x + ${b} m + ${c} N w`,
    'd = 12 ms + N x 55 µs, at most 200 ms',
    ...lines,
  ].join('\n')
}

/** By elimination. @param {number[][]} matrix @param {number[]} right */
function solved(matrix, right) {
  const rows = matrix.map((row, i) => [...row, right[i]])
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < rows.length; j++) {
      if (j === i) continue
      const factor = rows[j][i] / rows[i][i]
      rows[j] = rows[j].map((value, k) => value - factor * rows[i][k])
    }
  }
  return rows.map((row, i) => row[rows.length] / row[i])
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((all, each) => all + each, 0)
}
