/**
 * Which run of the machine this is: what was written in another one may have been lost with it. Imports nothing of the
 * project.
 */

import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** Clocks are set now and then. */
const TOLERANCE = 60_000

/** The kernel's own name of the boot, where it has one; else about when it was. */
export function bootName(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return `at ${Math.round(Date.now() - uptime() * 1_000)}`
  }
}

export function isThisBoot(name: string): boolean {
  const now = bootName()
  if (!name.startsWith('at ') || !now.startsWith('at ')) return name === now
  return Math.abs(Number(name.slice(3)) - Number(now.slice(3))) < TOLERANCE
}
