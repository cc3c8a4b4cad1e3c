import { describe, expect, test } from 'vitest'
import { audit } from './audit.ts'
import { burstEntries, roundOf } from './burst-entries.ts'
import { collect, openStorage, scratchDirectory, startChild } from './scratch.ts'

/** How often a burst of writes is killed: more in a long run. */
const KILLS = Number(process.env['STACKQUERY_DISK_KILLS'] ?? 3)

describe('many processes', () => {
  test('lose no write of each other', async () => {
    const directory = scratchDirectory()
    const names = Array.from({ length: 8 }, (_, index) => `p${index}`)
    const children = names.map((name) => startChild('count', directory, name, '100'))
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(names.map(() => 0))
    const storage = openStorage({ directory })
    for (const name of names) {
      const expected = Array.from({ length: 100 }, (_, index) =>
        index % 3 === 2 && index < 99 ? undefined : `${name} ${index}`,
      )
      expect(await storage.getMany(expected.map((_, index) => `${name}:${index}`))).toEqual(expected)
    }
    expect((await collect(storage.keys('shared:'))).length).toBe(10)
    await storage.close()
    expect(await audit(directory)).toEqual([])
  }, 60_000)

  test('lose no write while others open and close the same directory', async () => {
    const directory = scratchDirectory()
    const openers = [startChild('reopen', directory), startChild('reopen', directory)]
    await Promise.all(openers.map((child) => child.line('opened')))
    const names = ['a', 'b']
    const writers = names.map((name) => startChild('count', directory, name, '2000'))
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0])
    for (const child of openers) child.process.kill('SIGKILL')
    await Promise.all(openers.map(({ ended }) => ended))
    const storage = openStorage({ directory })
    for (const name of names) {
      const kept = Array.from({ length: 2000 }, (_, index) => index).filter((index) => index % 3 !== 2)
      const found = await storage.getMany(kept.map((index) => `${name}:${index}`))
      expect(kept.filter((index, place) => found[place] !== `${name} ${index}`)).toEqual([])
    }
    await storage.close()
    expect(await audit(directory)).toEqual([])
  }, 60_000)

  test('see what another has stored and deleted at once', async () => {
    const directory = scratchDirectory()
    const storage = openStorage({ directory })
    await storage.set('p:0', 'mine')
    const child = startChild('count', directory, 'p', '4')
    await child.line('done')
    expect(await storage.getMany(['p:0', 'p:1', 'p:2', 'p:3'])).toEqual(['p 0', 'p 1', undefined, 'p 3'])
  })

  test('end by themselves with an open storage, having written what was under way', async () => {
    const directory = scratchDirectory()
    expect(await startChild('idle', directory).ended).toBe(0)
    expect(await openStorage({ directory }).getMany(['a', 'b'])).toEqual(['1', '2'])
  })
})

test.each(['look', 'open'])(
  'process.exit amid what the writing thread does (%s) does not abort',
  async (mode) => {
    for (let round = 0; round < 3; round++)
      expect(await startChild('exit-amid-looks', scratchDirectory(), mode).ended).toBe(7)
  },
)

test('process.exit in a burst of writes neither hangs nor harms the file', async () => {
  const directory = scratchDirectory()
  for (const round of ['1', '2', '3', '4', '5'])
    expect(await startChild('exit', directory, round).ended).toBe(7)
  expect(await openStorage({ directory }).get('begun')).toBe('1')
  expect(await audit(directory)).toEqual([])
})

describe('SIGKILL in a burst of writes', () => {
  test(
    `${KILLS} times leaves every value whole, and all that was acknowledged`,
    async () => {
      const directory = scratchDirectory()
      for (let kill = 0; kill < KILLS; kill++) {
        const names = [`a${kill}`, `b${kill}`]
        const children = names.map((name) => startChild('burst', directory, name))
        await Promise.all(children.map((child) => child.line('3')))
        await new Promise((resolve) => setTimeout(resolve, (kill * 37) % 100))
        for (const child of children) child.process.kill('SIGKILL')
        await Promise.all(children.map(({ ended }) => ended))
        const messages: string[] = []
        const log = (text: string) => messages.push(text)
        const storage = openStorage({ directory, logger: { warn: log, error: log } })
        for (const [index, name] of names.entries()) {
          const acknowledged = Math.max(...children[index]!.lines.map(Number))
          const rounds = new Map<string, number>()
          for await (const key of storage.keys(`${name}:`)) {
            const round = roundOf(key, (await storage.get(key))!)
            expect(round, `${key} is whole`).toBeDefined()
            rounds.set(key, round!)
          }
          for (const { key } of burstEntries(name, acknowledged)) {
            expect(rounds.get(key)).toBeGreaterThanOrEqual(acknowledged)
          }
        }
        await storage.close()
        expect(messages).toEqual([])
        expect(await audit(directory)).toEqual([])
      }
    },
    20_000 + KILLS * 10_000,
  )
})
