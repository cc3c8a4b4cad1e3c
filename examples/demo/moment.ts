/** Milliseconds on the one clock that all processes of a machine share and that never steps. */
export function moment(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
