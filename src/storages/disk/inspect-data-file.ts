/**
 * Whether a data file can be given to LMDB, which maps it into memory and trusts it: a wrong page number or
 * offset there ends the process by SIGSEGV or SIGBUS, and again after each restart.
 *
 * Reads the newest meta page and walks its trees: every branch page, and leaf pages up to a budget. Safe while
 * others write: pages of the newest state are reused two transactions later at the earliest, so what looks
 * damaged counts only if no transaction came in between. Layout: `MDB_meta`, `MDB_page` and `MDB_node` of
 * LMDB 0.9.90, data version 2; any other is left to LMDB to judge. May import siblings.
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { dataFileOf } from './directory.ts'

const META_BYTES = 160
const PAGE_HEADER_BYTES = 24
const NODE_HEADER_BYTES = 8
const TREE_BYTES = 48
const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const BRANCH = 1
const LEAF = 2
const BIG_DATA = 1
const SUB_TREE = 2
const NO_PAGE = 0xffff_ffff_ffff_ffffn
/** 64 MiB of pages of 4 KiB: some tens of milliseconds. */
const LEAF_BUDGET = 16_384
/** Another process may be making or changing the file at this moment: damage must be seen each time. */
const LOOKS = 3
const LOOK_PAUSE = 30

interface Meta {
  readonly pageSize: number
  readonly lastPage: bigint
  readonly txnId: bigint
  readonly trees: readonly Tree[]
}

interface Tree {
  readonly depth: number
  readonly root: bigint
}

/** What is wrong with it; undefined = nothing that was seen. Waits a little before it says so. */
export function inspectDataFile(directory: string): string | undefined {
  let damage = inspectOnce(directory)
  for (let look = 1; damage !== undefined && look < LOOKS; look++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_PAUSE)
    damage = inspectOnce(directory)
  }
  return damage
}

function inspectOnce(directory: string): string | undefined {
  let file: number
  try {
    file = openSync(dataFileOf(directory), 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    if (fstatSync(file).size === 0) return undefined
    const meta = readMeta(file)
    if (typeof meta !== 'object') return meta
    // The size after the meta pages: a file that grows in between is larger than they say, never smaller.
    const { size } = fstatSync(file)
    const damage = new Walk(file, size, meta).run()
    const now = damage === undefined ? meta : readMeta(file)
    const isMoving = typeof now === 'object' && now.txnId !== meta.txnId
    return isMoving ? undefined : damage
  } finally {
    closeSync(file)
  }
}

/** The newest of both; a text = damaged; undefined = of a version unknown here. */
function readMeta(file: number): Meta | string | undefined {
  const bytes = Buffer.alloc(META_BYTES)
  if (readSync(file, bytes, 0, META_BYTES, 0) < META_BYTES) return 'it ends within its first page'
  if (bytes.readUInt32LE(24) !== MAGIC) return 'it is no LMDB file'
  if ((bytes.readUInt32LE(28) & 0xffff) !== DATA_VERSION) return undefined
  const first = parseMeta(bytes)
  const { pageSize } = first
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    return `its page size is ${pageSize}`
  }
  if (readSync(file, bytes, 0, META_BYTES, pageSize) < META_BYTES) return 'it ends within its second page'
  if (bytes.readUInt32LE(24) !== MAGIC) return 'its second page is damaged'
  const second = parseMeta(bytes)
  if (second.pageSize !== pageSize) return 'its first two pages contradict each other'
  return first.txnId >= second.txnId ? first : second
}

function parseMeta(bytes: Buffer): Meta {
  return {
    pageSize: bytes.readUInt32LE(48),
    trees: [parseTree(bytes, 48), parseTree(bytes, 48 + TREE_BYTES)],
    lastPage: bytes.readBigUInt64LE(144),
    txnId: bytes.readBigUInt64LE(152),
  }
}

function parseTree(bytes: Buffer, at: number): Tree {
  return { depth: bytes.readUInt16LE(at + 6), root: bytes.readBigUInt64LE(at + 40) }
}

class Damage extends Error {}

class Walk {
  readonly #file: number
  readonly #pageSize: number
  readonly #pageCount: bigint
  readonly #trees: Tree[]
  readonly #page: Buffer
  #leafBudget = LEAF_BUDGET

  constructor(file: number, size: number, meta: Meta) {
    this.#file = file
    this.#pageSize = meta.pageSize
    // The file may be shorter than the meta page says, where its last pages are free ones.
    const present = BigInt(Math.ceil(size / meta.pageSize))
    this.#pageCount = present < meta.lastPage + 1n ? present : meta.lastPage + 1n
    this.#trees = [...meta.trees]
    this.#page = Buffer.alloc(meta.pageSize)
  }

  run(): string | undefined {
    try {
      for (let tree = this.#trees.shift(); tree !== undefined; tree = this.#trees.shift()) this.#walk(tree)
      return undefined
    } catch (error) {
      if (error instanceof Damage) return error.message
      throw error
    }
  }

  #walk({ root, depth }: Tree): void {
    if (root === NO_PAGE) return
    if (depth < 1 || depth > 32) throw new Damage(`a tree of depth ${depth}`)
    let level = [root]
    for (let height = depth; height > 0; height--) {
      const below: bigint[] = []
      for (const page of level) {
        if (height === 1 && this.#leafBudget-- <= 0) return
        this.#check(page, height === 1 ? LEAF : BRANCH, below)
      }
      level = below
    }
  }

  #check(number: bigint, kind: number, below: bigint[]): void {
    const page = this.#page
    this.#checkNumber(number, 1n)
    const at = Number(number) * this.#pageSize
    if (readSync(this.#file, page, 0, this.#pageSize, at) < this.#pageSize)
      throw new Damage(`page ${number} is cut off`)
    const [flags, lower, upper] = [page.readUInt16LE(18), page.readUInt16LE(20), page.readUInt16LE(22)]
    const room = this.#pageSize - PAGE_HEADER_BYTES
    if (
      page.readBigUInt64LE(0) !== number ||
      (flags & 0xff) !== kind ||
      lower > upper ||
      upper > room ||
      lower % 2 !== 0
    ) {
      throw new Damage(`page ${number} is damaged`)
    }
    if (lower === 0) throw new Damage(`page ${number} is empty`)
    for (let pointer = 0; pointer < lower; pointer += 2) {
      const node = PAGE_HEADER_BYTES + page.readUInt16LE(PAGE_HEADER_BYTES + pointer)
      if (node < PAGE_HEADER_BYTES + upper || node + NODE_HEADER_BYTES > this.#pageSize) {
        throw new Damage(`page ${number} has a node outside of it`)
      }
      if (kind === BRANCH) this.#checkBranch(number, node, below)
      else this.#checkLeaf(number, node)
    }
  }

  #checkBranch(number: bigint, node: number, below: bigint[]): void {
    const page = this.#page
    if (node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6) > this.#pageSize) {
      throw new Damage(`page ${number} has a key that leaves it`)
    }
    const child = BigInt(page.readUIntLE(node, 6))
    this.#checkNumber(child, 1n)
    below.push(child)
  }

  #checkLeaf(number: bigint, node: number): void {
    const page = this.#page
    const size = page.readUInt32LE(node)
    const flags = page.readUInt16LE(node + 4)
    const data = node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6)
    const isBig = (flags & BIG_DATA) !== 0
    if (data + (isBig ? 8 : size) > this.#pageSize || flags > 7) {
      throw new Damage(`page ${number} has a value that leaves it`)
    }
    if (isBig) {
      const pages = Math.ceil((size + PAGE_HEADER_BYTES) / this.#pageSize)
      this.#checkNumber(page.readBigUInt64LE(data), BigInt(pages))
    } else if ((flags & SUB_TREE) !== 0) {
      if (size !== TREE_BYTES) throw new Damage(`page ${number} has a tree of ${size} bytes`)
      this.#trees.push(parseTree(page, data))
    }
  }

  #checkNumber(number: bigint, pages: bigint): void {
    if (number < 2n || number + pages > this.#pageCount)
      throw new Damage(`page ${number} is outside of the file`)
  }
}
