/** A query of a client that has an L2: it keeps what vouches for its data. The others are spared the field. */

import { Query, type Vouchers } from './query.ts'

export class VouchedQuery extends Query {
  #vouchers: Vouchers | null = null

  override get vouchers(): Vouchers | null {
    return this.#vouchers
  }

  override set vouchers(vouchers: Vouchers | null) {
    this.#vouchers = vouchers
  }
}
