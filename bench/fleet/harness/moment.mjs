/** Milliseconds on the one monotonic clock of the machine: moments of different processes can be compared. */
export const moment = () => Number(process.hrtime.bigint()) / 1e6

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Polls until `isTrue` holds, or fails. Returns the milliseconds that it took. */
export async function until(what, isTrue, patience = 30_000) {
  const began = moment()
  while (!(await isTrue())) {
    if (moment() - began > patience) throw new Error(`Waited ${patience} ms in vain until ${what}.`)
    await sleep(5)
  }
  return moment() - began
}
