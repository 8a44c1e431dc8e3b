const NOT_HEX = 0xff;

/** Value of each byte as a hexadecimal digit; NOT_HEX for any other byte. */
const HEX_DIGIT: Uint8Array = hexDigits();

function hexDigits(): Uint8Array {
  const table = new Uint8Array(256).fill(NOT_HEX);
  for (let digit = 0; digit < 16; digit++) {
    const text = digit.toString(16);
    table[text.charCodeAt(0)] = digit;
    table[text.toUpperCase().charCodeAt(0)] = digit;
  }
  return table;
}

/**
 * Reads a hexadecimal number of 1 to 16 digits into two 32-bit halves: JavaScript's bitwise operators are 32 bits
 * wide, and a number beyond 2^53 is not exact. The result stays in the object, so that no call allocates.
 */
export class HexReader {
  /** Bits 63..32 of the last number, as a signed integer. */
  high = 0;
  /** Bits 31..0 of the last number, as a signed integer. */
  low = 0;

  /** Reads at `start`; returns the offset behind the last digit, or -1 without digits or with more than 16. */
  read(bytes: Uint8Array, start: number): number {
    let high = 0;
    let low = 0;
    let position = start;
    let digit = HEX_DIGIT[bytes[position] as number] as number;
    while (digit < 16) {
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
      digit = HEX_DIGIT[bytes[++position] as number] as number;
    }
    this.high = high;
    this.low = low;
    const digits = position - start;
    return digits >= 1 && digits <= 16 ? position : -1;
  }
}
