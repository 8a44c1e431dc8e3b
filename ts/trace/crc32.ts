/** Four tables: entry k of table t is the remainder of byte k followed by t zero bytes. */
const TABLES = crcTables();

/**
 * CRC-32 as in gzip and PNG (reflected polynomial 0xedb88320) of `bytes[start, end)`, an integer in [0, 2^32).
 * With the checksum of what came before as `previous`, returns that of both parts together.
 */
export function crc32(bytes: Uint8Array, start: number, end: number, previous = 0): number {
  let crc = ~previous;
  let position = start;
  for (; position + 4 <= end; position += 4) {
    crc ^=
      (bytes[position] as number) |
      ((bytes[position + 1] as number) << 8) |
      ((bytes[position + 2] as number) << 16) |
      ((bytes[position + 3] as number) << 24);
    crc =
      (TABLES[768 + (crc & 0xff)] as number) ^
      (TABLES[512 + ((crc >>> 8) & 0xff)] as number) ^
      (TABLES[256 + ((crc >>> 16) & 0xff)] as number) ^
      (TABLES[crc >>> 24] as number);
  }
  for (; position < end; position++) {
    crc = (TABLES[(crc ^ (bytes[position] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function crcTables(): Int32Array {
  const tables = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const shorter = tables[index - 256] as number;
    tables[index] = (tables[shorter & 0xff] as number) ^ (shorter >>> 8);
  }
  return tables;
}
