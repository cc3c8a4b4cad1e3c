/** Numbers that cost nothing to keep. Pure. */

/** The same number, as a small integer wherever it is one: the engine makes an object of any other, and of a difference. */
export function smallInteger(number: number): number {
  const integer = number | 0
  return integer === number ? integer : number
}
