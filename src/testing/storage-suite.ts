/**
 * The conformance suite: tells the author of a storage whether it does what the port says.
 *
 * Knows no test runner and no assertion library. Owns nothing: each test opens a fresh subject and closes it.
 * May import ports, errors and its own folder.
 */

import { InvalidOptionError } from '../errors.ts'
import { addTests } from './suite/add-tests.ts'
import { ConformanceError } from './suite/assert.ts'
import { batchTests, concurrencyTests } from './suite/batch-tests.ts'
import { closingTests, faultTests } from './suite/closing-tests.ts'
import { feedTests } from './suite/feed-tests.ts'
import { keyTests } from './suite/key-tests.ts'
import { leaseTests } from './suite/lease-tests.ts'
import { snapshotTests } from './suite/snapshot-tests.ts'
import {
  PORT_CAPABILITIES,
  type StorageSubject,
  SUBJECT_HOOKS,
  SUITE_CAPABILITIES,
  type SuiteCapability,
  SuiteContext,
  type SuiteTest,
} from './suite/suite-context.ts'
import { ttlTests } from './suite/ttl-tests.ts'
import { valueTests } from './suite/value-tests.ts'

const ALL_TESTS: readonly SuiteTest[] = [
  ...[...valueTests, ...ttlTests, ...batchTests, ...addTests, ...snapshotTests, ...keyTests],
  ...[...concurrencyTests, ...feedTests, ...leaseTests, ...closingTests, ...faultTests],
]

const DECLARATION_TEST = 'capabilities: exactly those that were declared'

const DEFAULT_DEADLINE = 15_000

/** `test` of vitest, jest, node:test, bun:test, mocha's `it`: anything that takes a name and an async function. */
export interface TestFunction {
  (name: string, run: () => Promise<void>): unknown
  skip?: ((name: string, run: () => Promise<void>) => unknown) | undefined
}

export interface StorageSuiteOptions {
  readonly test: TestFunction
  /** Opens a fresh, empty storage; called once for each test. */
  readonly create: () => StorageSubject | PromiseLike<StorageSubject>
  /**
   * What the subject has beyond `get`, `set` and `delete`: tests for the rest are not registered, and a test
   * checks that this list is exactly what is there. @default []
   */
  readonly capabilities?: readonly SuiteCapability[] | undefined
  /**
   * Names of tests that this storage cannot pass, each with the reason. They are registered through
   * `test.skip`, or reported through `onSkip`, with the reason in their title.
   * @throws InvalidOptionError (`INVALID_OPTION`) for a name that no test has and for an empty reason.
   */
  readonly skip?: Readonly<Record<string, string>> | undefined
  /** Called for every skipped test, for runners whose `test` has no `skip`. */
  readonly onSkip?: ((name: string, reason: string) => void) | undefined
  /** `large` adds values of 16 MB. @default 'normal' */
  readonly profile?: 'normal' | 'large' | undefined
  /**
   * The most milliseconds of real time for one test: a storage that hangs fails by the name of the test instead
   * of the runner's own timeout, which should be longer. @default 15_000
   */
  readonly deadline?: number | undefined
}

/** Registers the suite's tests. Returns the names of those that are skipped, with their reasons. */
export function storageSuite(options: StorageSuiteOptions): Readonly<Record<string, string>> {
  const { test, create, capabilities = [], skip = {}, onSkip, profile = 'normal' } = options
  const { deadline = DEFAULT_DEADLINE } = options
  checkSkips(skip)
  for (const name of capabilities) {
    if (SUITE_CAPABILITIES.includes(name)) continue
    throw new InvalidOptionError(
      `capabilities: expected some of ${SUITE_CAPABILITIES.join(', ')}, got '${name}'`,
    )
  }
  const declaration: SuiteTest = {
    name: DECLARATION_TEST,
    run: async (context) => checkDeclaration(context, capabilities),
  }
  for (const one of [declaration, ...ALL_TESTS]) {
    if (one.isLarge && profile !== 'large') continue
    if (!(one.needs ?? []).every((name) => capabilities.includes(name))) continue
    const reason = skip[one.name]
    const run = () => withDeadline(one, create, deadline)
    if (reason === undefined) test(one.name, run)
    else reportSkip(one.name, reason, run, test, onSkip)
  }
  return skip
}

/** The names of all tests, for `skip`. */
export const storageSuiteTests: readonly string[] = [DECLARATION_TEST, ...ALL_TESTS.map(({ name }) => name)]

function reportSkip(
  name: string,
  reason: string,
  run: () => Promise<void>,
  test: TestFunction,
  onSkip: StorageSuiteOptions['onSkip'],
): void {
  onSkip?.(name, reason)
  const title = `${name} (skipped: ${reason})`
  if (test.skip) test.skip(title, run)
  else if (!onSkip) test(title, async () => {})
}

function checkSkips(skip: Readonly<Record<string, string>>): void {
  for (const [name, reason] of Object.entries(skip)) {
    if (!storageSuiteTests.includes(name)) {
      throw new InvalidOptionError(`skip: expected the name of a test of the suite, got '${name}'`)
    }
    if (reason.trim() === '') throw new InvalidOptionError(`skip: expected a reason for '${name}', got none`)
  }
}

function checkDeclaration({ subject }: SuiteContext, declared: readonly SuiteCapability[]): void {
  const present: SuiteCapability[] = [
    ...PORT_CAPABILITIES.filter((name) => subject.storage[name] !== undefined),
    ...(subject.storage.lease?.renew === undefined ? [] : (['renew'] as const)),
    ...SUBJECT_HOOKS.filter((name) => subject[name] !== undefined),
  ]
  const undeclared = present.filter((name) => !declared.includes(name))
  const absent = declared.filter((name) => !present.includes(name))
  if (undeclared.length > 0) throw new ConformanceError(`there but not declared: ${undeclared.join(', ')}`)
  if (absent.length > 0) throw new ConformanceError(`declared but not there: ${absent.join(', ')}`)
}

async function withDeadline(
  one: SuiteTest,
  create: StorageSuiteOptions['create'],
  deadline: number,
): Promise<void> {
  const context = new SuiteContext(await create())
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      context.giveUp()
      reject(new ConformanceError(`'${one.name}' did not end within ${deadline} ms: ${context.waitingFor}`))
    }, deadline)
  })
  try {
    await Promise.race([one.run(context), late])
    await Promise.race([context.close(), late])
  } catch (error) {
    // The first failure is the one to report; a storage that hangs may hang on closing too.
    await Promise.race([
      context.close().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, 1_000)),
    ])
    throw error
  } finally {
    clearTimeout(timer)
  }
}
