/** On what it was measured. */

import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

export function machine() {
  return {
    node: process.version,
    v8: process.versions.v8,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${platform()} ${release()} ${process.arch}`,
    /** Of what else ran, one minute's mean. */
    load: Number(loadavg()[0].toFixed(2)),
  }
}
