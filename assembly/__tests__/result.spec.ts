import "./support/heap";
import { RESULT_BYTES } from "../abi";
import { result } from "../result";
import { scanBlock } from "../scan";

describe("result", () => {
  it("is an aligned block of static memory that is no other block's", () => {
    expect(result).not.toBe(0);
    expect(result & 15).toBe(0);
    expect(result).toBeLessThan(__heap_base);
    expect(scanBlock >= result + RESULT_BYTES || result >= scanBlock + 64).toBe(true);
  });

  it("keeps what is stored in all of it", () => {
    memory.fill(result, 0xff, RESULT_BYTES);
    expect(load<u64>(result)).toBe(u64.MAX_VALUE);
    expect(load<u64>(result + RESULT_BYTES - 8)).toBe(u64.MAX_VALUE);
    memory.fill(result, 0, RESULT_BYTES);
    expect(load<u64>(result)).toBe(0);
  });
});
