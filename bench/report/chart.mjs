/** Charts as SVG, logarithmic, readable on light and on dark ground. Pure. */

const WIDTH = 820
const LABEL = 14
/** Beside a curve: room for forty characters in the widest of the usual fonts. */
const LABELS = 280
const INK = '#6b7280'
const OURS = '#2563eb'
const OTHERS = '#9ca3af'
const LINES = ['#9ca3af', '#2563eb', '#dc2626', '#059669', '#9333ea']

/** One bar a row, the library's own in another colour. */
export function barChart(title, rows) {
  const left = 270
  const step = 24
  const scale = logarithmic(
    rows.map(({ value }) => value),
    WIDTH - left - 90,
  )
  const body = rows.map(({ label, value }, i) => {
    const y = 44 + i * step
    const width = Math.max(1, scale(value))
    const fill = label.startsWith('stackquery') ? OURS : OTHERS
    return [
      text(left - 8, y + 12, label, 'end'),
      `<rect x="${left}" y="${y}" width="${round(width)}" height="16" rx="2" fill="${fill}"/>`,
      text(left + width + 6, y + 12, short(value), 'start'),
    ].join('')
  })
  return frame(title, 56 + rows.length * step, body)
}

/** `lines`: name → points `[x, y]`; both axes logarithmic. */
export function lineChart(title, lines) {
  const [left, top, width, height] = [70, 50, WIDTH - 70 - LABELS, 260]
  const points = Object.values(lines).flat()
  const x = logarithmic(
    points.map(([each]) => each),
    width,
  )
  const y = logarithmic(
    points.map(([, each]) => each),
    height,
  )
  const at = ([px, py]) => [round(left + x(px)), round(top + height - y(py))]
  const labels = apart(Object.values(lines).map((line) => at(line.at(-1))[1]))
  const body = [
    `<path d="M${left} ${top}V${top + height}H${left + width}" fill="none" stroke="${INK}"/>`,
    ...[...new Set(points.map(([each]) => each))].map((each) =>
      text(left + x(each), top + height + 18, each.toLocaleString('en'), 'middle'),
    ),
    ...decades(points.map(([, each]) => each)).map((each) =>
      text(left - 8, top + height - y(each) + 4, short(each), 'end'),
    ),
    ...Object.entries(lines).map(([name, line], i) => {
      const colour = LINES[i % LINES.length]
      const places = line.map(at)
      const [lastX] = places.at(-1)
      return [
        `<polyline points="${places.map((place) => place.join()).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`),
        text(lastX + 8, labels[i] + 4, name, 'start', colour),
      ].join('')
    }),
  ]
  return frame(title, top + height + 40, body)
}

/** Heights of labels, moved down where they would lie on each other. */
function apart(heights) {
  const moved = [...heights]
  let lowest = Number.NEGATIVE_INFINITY
  for (const i of heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b])) {
    moved[i] = Math.max(heights[i], lowest + LABEL)
    lowest = moved[i]
  }
  return moved
}

/** From values to lengths; the smallest keeps a length of its own. */
function logarithmic(values, length) {
  const least = Math.log10(Math.min(...values)) - 0.3
  const most = Math.log10(Math.max(...values))
  return (value) => ((Math.log10(value) - least) / (most - least)) * length
}

/** The powers of ten among the values; where there are hardly any, also what is two and five times as much. */
function decades(values) {
  const [from, to] = [Math.min(...values), Math.max(...values)]
  const steps = to / from < 1_000 ? [1, 2, 5] : [1]
  const found = []
  for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power++) {
    for (const step of steps)
      if (step * 10 ** power >= from && step * 10 ** power <= to) found.push(step * 10 ** power)
  }
  return found
}

function frame(title, height, body) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<text x="8" y="24" font-size="15" font-weight="600" fill="${INK}">${escaped(title)}</text>`,
    ...body,
    '</svg>\n',
  ].join('\n')
}

function text(x, y, content, anchor, fill = INK) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${fill}">${escaped(content)}</text>`
}

function short(value) {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`
  return String(Number(value.toPrecision(3)))
}

function round(value) {
  return Number(value.toFixed(1))
}

function escaped(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
