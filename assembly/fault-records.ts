import {
  ACCESS_WRITE,
  FAULT_RECORD_BYTES,
  FAULT_RECORD_CONTENT,
  FAULT_RECORD_INDEX,
  FAULT_RECORD_KIND,
  FAULT_RECORD_PAGE,
  FAULT_RECORD_WRITE,
} from "./abi";

/** Records of faults that concern the host, in a block of its choice (layout in `abi.ts`). */

let records: usize = 0;
let capacity: u32 = 0;
let count: u32 = 0;

/** Says where fault records go, and how many fit. */
export function setFaultRecords(address: usize, room: u32): void {
  records = address;
  capacity = room;
}

/** Begins with the first record. */
export function beginFaultRecords(): void {
  count = 0;
}

/** Returns how many records were written. */
export function faultRecordCount(): u32 {
  return count;
}

/** Returns for how many more records there is room. */
export function recordsLeft(): u32 {
  return capacity - count;
}

/** Writes the record of a fault, for which there is room. `content`: what the page holds before a write that has to wait. */
export function writeRecord(page: u64, index: u32, outcome: i32, access: u32, content: u64): void {
  const record = records + <usize>count * FAULT_RECORD_BYTES;
  store<u64>(record, page, FAULT_RECORD_PAGE);
  store<u32>(record, index, FAULT_RECORD_INDEX);
  store<u32>(record, outcome | (access == ACCESS_WRITE ? FAULT_RECORD_WRITE : 0), FAULT_RECORD_KIND);
  store<u64>(record, content, FAULT_RECORD_CONTENT);
  count++;
}
