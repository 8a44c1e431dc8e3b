import "./support/heap";
import {
  ACCESS_RECORD_BYTES,
  ACCESS_RECORD_PAGE_BITS,
  COUNTER_COUNT,
  COUNTER_REAL_TABLES,
  FAULT_RECORD_BYTES,
  FAULT_RECORD_CONTENT,
  FAULT_RECORD_INDEX,
  FAULT_RECORD_KIND,
  FAULT_RECORD_PAGE,
  FAULT_RECORD_WRITE,
  FIRST_FRAME_PFN,
  OBJECT_KIND,
  OBJECT_PAGES,
  OBJECT_RESERVES,
  OUTCOME_UNMAP_OTHERS,
  PAGE_LIMIT_BITS,
  REGION_BYTES,
  REGION_END,
  REGION_FIRST,
  REGION_FLAGS,
  REGION_OBJECT,
  REGION_OFFSET,
  REGION_OWNER,
  REGION_TAG,
  RESULT_BYTES,
  RESULT_MAJFLT,
  RESULT_MINFLT,
  RESULT_REASON,
  RESULT_RECORDS,
  RESULT_TRIED,
  RESULT_VALUE,
  SCAN_ANYOF,
  SCAN_BUFFERED,
  SCAN_BYTES,
  SCAN_FLAGS,
  SCAN_FOUND_PAGES,
  SCAN_HOLE_CATEGORIES,
  SCAN_INVERTED,
  SCAN_MASK,
  SCAN_MAX_PAGES,
  SCAN_REGION_BYTES,
  SCAN_REGION_CATEGORIES,
  SCAN_REGION_CATEGORY_SET,
  SCAN_REGION_END,
  SCAN_REGION_FIRST,
  SCAN_REGION_FLAGS,
  SCAN_RETURN,
  SCAN_VECTOR,
  SCAN_VECTOR_LEFT,
  SCAN_WALK_END,
  SPACE_COUNTERS,
  SPACE_KERNEL,
  SPACE_PGD,
  SPACE_REGION_CAPACITY,
  SPACE_REGION_COUNT,
  SPACE_REGIONS,
} from "../abi";

/** Tells whether fields, given as pairs of offset and size in ascending order, are aligned, do not overlap and end within `bytes`. */
function fits(fields: u32[], bytes: u32): bool {
  let end: u32 = 0;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] < end || fields[i] % fields[i + 1] != 0) return false;
    end = fields[i] + fields[i + 1];
  }
  return end <= bytes;
}

describe("abi", () => {
  it("has room for all counters in the control block of a space", () => {
    expect(SPACE_COUNTERS + COUNTER_COUNT * 8).toBeLessThanOrEqual(4096);
    expect(COUNTER_REAL_TABLES + 1).toBe(COUNTER_COUNT);
    expect(SPACE_COUNTERS % 8).toBe(0);
  });

  it("lays out its blocks and records without overlap", () => {
    expect(
      fits(
        [SPACE_PGD, 4, SPACE_REGIONS, 4, SPACE_REGION_COUNT, 4, SPACE_REGION_CAPACITY, 4, SPACE_KERNEL, 4],
        SPACE_COUNTERS,
      ),
    ).toBe(true);
    const regionFields: u32[] = [REGION_FIRST, 8, REGION_END, 8, REGION_FLAGS, 4, REGION_TAG, 4];
    const mappedFields: u32[] = [REGION_OBJECT, 4, REGION_OWNER, 4, REGION_OFFSET, 8];
    expect(fits(regionFields.concat(mappedFields), REGION_BYTES)).toBe(true);
    expect(fits([SPACE_PGD, 4, OBJECT_KIND, 4, OBJECT_PAGES, 8, OBJECT_RESERVES, 4], 4096)).toBe(true);
    const resultFields: u32[] = [
      RESULT_MINFLT,
      4,
      RESULT_MAJFLT,
      4,
      RESULT_VALUE,
      8,
      RESULT_REASON,
      4,
      RESULT_RECORDS,
      4,
      RESULT_TRIED,
      4,
    ];
    expect(fits(resultFields, RESULT_BYTES)).toBe(true);
    expect(
      fits(
        [FAULT_RECORD_PAGE, 8, FAULT_RECORD_INDEX, 4, FAULT_RECORD_KIND, 4, FAULT_RECORD_CONTENT, 8],
        FAULT_RECORD_BYTES,
      ),
    ).toBe(true);
    expect(fits([SCAN_REGION_FIRST, 8, SCAN_REGION_END, 8, SCAN_REGION_CATEGORY_SET, 8], SCAN_REGION_BYTES)).toBe(true);
  });

  it("lays out the scan block without overlap", () => {
    const inputs: u32[] = [
      SCAN_VECTOR,
      4,
      SCAN_VECTOR_LEFT,
      4,
      SCAN_BUFFERED,
      4,
      SCAN_INVERTED,
      4,
      SCAN_MASK,
      4,
      SCAN_ANYOF,
      4,
    ];
    const rest: u32[] = [SCAN_RETURN, 4, SCAN_FLAGS, 4, SCAN_MAX_PAGES, 8, SCAN_FOUND_PAGES, 8, SCAN_WALK_END, 8];
    const categories: u32[] = [SCAN_REGION_CATEGORIES, 4, SCAN_HOLE_CATEGORIES, 4, SCAN_REGION_FLAGS, 4];
    expect(fits(inputs.concat(rest).concat(categories), SCAN_BYTES)).toBe(true);
  });

  it("keeps records a whole number of u64 long, so that all of an array are aligned", () => {
    expect(REGION_BYTES % 8).toBe(0);
    expect(FAULT_RECORD_BYTES % 8).toBe(0);
    expect(SCAN_REGION_BYTES % 8).toBe(0);
    expect(ACCESS_RECORD_BYTES).toBe(8);
  });

  it("holds every user page in an access record, and every outcome beside the write flag of a fault record", () => {
    expect(ACCESS_RECORD_PAGE_BITS).toBeGreaterThanOrEqual(PAGE_LIMIT_BITS);
    expect(ACCESS_RECORD_PAGE_BITS).toBeLessThan(62);
    expect((<u64>4096) << PAGE_LIMIT_BITS).toBe(1 << 47);
    expect(OUTCOME_UNMAP_OTHERS).toBeLessThan(FAULT_RECORD_WRITE);
  });

  it("starts frames behind the 4 GiB that hold the tables", () => {
    expect((<u64>FIRST_FRAME_PFN) << 12).toBe(1 << 32);
  });
});
