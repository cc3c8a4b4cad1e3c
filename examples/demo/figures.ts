/** Figures as people read them. */

export function count(number: number): string {
  return number.toLocaleString('en-US')
}

export function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '–'
  if (milliseconds < 0.1) return `${Math.max(1, Math.round(milliseconds * 1000))} µs`
  if (milliseconds < 10) return `${milliseconds.toFixed(2)} ms`
  return `${Math.round(milliseconds)} ms`
}
