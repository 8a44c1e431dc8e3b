// Converts valgrind lackey text on standard input to ChampSim's 64-byte records on standard output:
//   node traces/lackey-to-champsim.mjs < lackey.txt > trace.champsim
// One record per instruction; a further record with the same ip when it has more than 4 loads or 2 stores.
// Branches and registers are not in lackey's output: those fields are 0.
import { createInterface } from "node:readline";

const RECORD_BYTES = 64;
const STORES = { first: 16, end: 32 };
const LOADS = { first: 32, end: 64 };

let record;

function begin(ip) {
  if (record) process.stdout.write(record.bytes);
  record = { bytes: Buffer.alloc(RECORD_BYTES), ip, store: STORES.first, load: LOADS.first };
  record.bytes.writeBigUInt64LE(ip, 0);
}

function addLoad(address) {
  if (record.load === LOADS.end) begin(record.ip);
  record.bytes.writeBigUInt64LE(address, record.load);
  record.load += 8;
}

function addStore(address) {
  if (record.store === STORES.end) begin(record.ip);
  record.bytes.writeBigUInt64LE(address, record.store);
  record.store += 8;
}

for await (const line of createInterface({ input: process.stdin })) {
  const match = /^([I ])([ SLM]) ([0-9a-f]+),\d+$/.exec(line);
  if (!match) continue;
  const address = BigInt(`0x${match[3]}`);
  if (match[1] === "I") begin(address);
  else if (record && match[2] !== "S") addLoad(address);
  if (record && (match[2] === "S" || match[2] === "M")) addStore(address);
}
if (record) process.stdout.write(record.bytes);
