/** Pages, addresses and sizes of x86-64 with 4-level tables. Everything is checked here once, on the way in. */

/** Bytes of a page. */
export const PAGE_SIZE = 4096;
/** log2 of PAGE_SIZE. */
export const PAGE_SHIFT = 12;
/** First address that is not user space: `TASK_SIZE` of Linux with 4-level tables. */
export const ADDRESS_LIMIT: number = 2 ** 47 - PAGE_SIZE;
/** First page number that is not user space. */
export const PAGE_LIMIT: number = ADDRESS_LIMIT / PAGE_SIZE;
/** Bytes of one page table, at any level. */
export const TABLE_SIZE = 4096;

/** A byte address or a byte length: a number is exact here (47 bits), a bigint is accepted. */
export type Address = number | bigint;

/**
 * Returns `value` as a number.
 * @throws TypeError if it is neither number nor bigint; RangeError if it is not an integer from 0 to 2^53 - 1.
 */
export function toNumber(value: Address, name: string): number {
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new TypeError(`"${name}" expected a number or bigint, got ${typeof value}`);
  }
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`"${name}" expected an integer from 0 to 2^53 - 1, got ${value}`);
}

/**
 * Returns `value` if it is a page number of user space or the limit itself.
 * @throws RangeError otherwise.
 */
export function checkPage(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= PAGE_LIMIT) return value;
  throw new RangeError(`"${name}" expected a page number from 0 to ${PAGE_LIMIT}, got ${value}`);
}

/**
 * Returns `value` if it is an integer from 0 to `limit`.
 * @throws RangeError otherwise.
 */
export function checkCount(value: number, name: string, limit: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= limit) return value;
  throw new RangeError(`"${name}" expected an integer from 0 to ${limit}, got ${value}`);
}

/**
 * Returns `value` if it is one of `names`.
 * @throws TypeError otherwise.
 */
export function checkName<Name extends string>(value: Name, names: readonly Name[], field: string): Name {
  if (names.includes(value)) return value;
  throw new TypeError(`"${field}" expected one of ${names.join(", ")}; got ${JSON.stringify(value)}`);
}

/** Tells whether an address or length is a multiple of the page size. */
export function isPageAligned(value: number): boolean {
  return value % PAGE_SIZE === 0;
}

/** Returns a byte length rounded up to whole pages. */
export function roundUpToPages(length: number): number {
  return Math.ceil(length / PAGE_SIZE) * PAGE_SIZE;
}

/** Writes an address as `0x…`. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Writes a number of bytes for a person: `20.0 MiB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(value < 10 ? 2 : 1)} ${UNITS[unit]}`;
}

/**
 * Reads a size such as `4096`, `4K`, `2M`, `10G`, `1T` (binary units) and returns bytes.
 * @throws RangeError if it is none.
 */
export function parseSize(text: string, name: string): number {
  const match = /^(\d+)([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const bytes = match ? Number(match[1]) * 1024 ** " KMGT".indexOf((match[2] || " ").toUpperCase()) : NaN;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new RangeError(`"${name}" expected a size such as 512M or 4G, got "${text}"`);
}
