/**
 * What the storage asks of a client, whichever library it is of: the port between `RedisStorage` and the
 * adapters of this folder. Interfaces only; imports nothing.
 */

/** One write: `px` in whole milliseconds, absent = no expiry. */
export interface RedisWrite {
  readonly key: string
  readonly value: string
  readonly px: number | undefined
}

/** One page of a SCAN over one node, from `cursor` ('0' begins; it ends where '0' comes back). */
export type ScanPage = (
  cursor: string,
  match: string,
  count: number,
) => Promise<readonly [cursor: string, keys: readonly string[]]>

/** Each method sends at once, everything of a batch in one go, and rejects with the client's own error. */
export interface RedisCommands {
  /** Put before every key by the client's own settings; SCAN neither adds nor strips it. */
  readonly keyPrefix: string
  get(key: string): Promise<string | null>
  getMany(keys: readonly string[]): Promise<(string | null)[]>
  set(write: RedisWrite): Promise<unknown>
  setMany(writes: readonly RedisWrite[]): Promise<unknown>
  delete(keys: readonly string[]): Promise<unknown>
  /** Any command that names one key, which is at `args[keyIndex]`; its reply as RESP 2 has it. */
  call(keyIndex: number, args: readonly string[]): Promise<unknown>
  /** One for every node that holds keys of its own. */
  scanners(): Promise<readonly ScanPage[]>
}

/**
 * A connection of its own, for commands that block: to the master that holds its one key. It keeps no process
 * alive and never comes back by itself; whoever opened it closes it.
 */
export interface RedisLine {
  /** Its key as the server knows it. */
  readonly key: string
  /** Sends at once, in order, as it is given; replies are as RESP 2 has them. */
  send(args: readonly string[]): Promise<unknown>
  /** What is unanswered may never settle. */
  close(): void
}

/** Where the commands come from; who implements it owns the client, or borrows it from the user. */
export interface RedisConnection {
  /**
   * The commands where they may be sent at once; a promise of them during the first attempt to connect.
   * @throws StorageError (`STORAGE_UNAVAILABLE`) otherwise: nothing waits for a server that is away.
   */
  commands(): RedisCommands | Promise<RedisCommands>
  /** Replies are awaited, or no longer: while they are, the process must not end. */
  setBusy(isBusy: boolean): void
  /** The server left a command unanswered for too long. */
  stalled(error: Error): void
  /** Rejects where it cannot be opened now. `onLost` is called, perhaps more than once, when it is of no use any more. */
  openLine(key: string, onLost: (error: Error) => void): Promise<RedisLine>
  close(): void
}
