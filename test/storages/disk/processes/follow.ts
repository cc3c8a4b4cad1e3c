/** Says "following", then each message that it hears; stays as long as its input, or, told not to wait, has nothing to do. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const [directory, waits] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)
const storage = new DiskCacheStorage(directory!)
await storage.feed.follow(
  (messages) => say(messages.join('\n')),
  (reason) => say(`gap: ${reason.replace(/\d+/, 'n')}`),
)
say('following')
if (waits === 'wait') setInterval(() => {}, 60_000)
