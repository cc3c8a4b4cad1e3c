/**
 * The cluster slot of a key: CRC16 (XMODEM) of its UTF-8 bytes, or of its hash tag, modulo 16384.
 * See https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/. Imports nothing.
 */

const SLOTS = 16_384
const POLYNOMIAL = 0x1021
const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1
  return crc
})

export function clusterSlot(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  // An empty tag, `{}`, does not count.
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) ^ CRC_TABLE[(crc >> 8) ^ byte]!) & 0xffff
  return crc % SLOTS
}
