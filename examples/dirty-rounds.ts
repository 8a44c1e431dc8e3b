/** A million random writes a round into 4 GiB, tracked by WP_ASYNC and PAGEMAP_SCAN: what a live migration sends each round. */
import { ACCESS_WRITE, AddressSpace, createEngine, PAGE_SIZE, Random, Userfaultfd } from "pte-engine";

const PAGES = 2 ** 20;
const WRITES = 2 ** 20;
const length = PAGES * PAGE_SIZE;

const engine = await createEngine();
const space = new AddressSpace(engine);
const start = space.mmap({ length });
const uffd = Userfaultfd.open(space, { features: ["wp-unpopulated", "wp-async"] });
uffd.register(start, length, ["wp"]);
uffd.writeProtect(start, length);

const accesses = engine.createAccessBuffer(WRITES); // in the engine's memory, so replay copies nothing
const vector = new Float64Array(3 * PAGES); // room for the regions of a scan
const random = new Random(1);

for (let round = 1; round <= 4; round++) {
  fill(accesses.words, WRITES >> round); // the guest calms down
  const { done } = space.replay(accesses, { value: round, records: "count" });
  const { raw } = space.pagemapScan({
    ...{ start, end: start + length, vector },
    ...{ mask: ["written"], return: ["written"], wpMatching: true }, // and protects what it finds
  });
  let dirty = 0;
  for (let i = 0; i < raw.length; i += 3) dirty += (raw[i + 1] ?? 0) - (raw[i] ?? 0);
  console.log(`round ${round}: ${done} writes, ${dirty} dirty pages in ${raw.length / 3} regions`);
}

/** Makes writes to random pages among the first `pages` of the memory. */
function fill(words: Uint32Array, pages: number): void {
  for (let i = 0; i < words.length; i += 2) {
    const page = start / PAGE_SIZE + random.below(pages);
    words[i] = page;
    words[i + 1] = Math.floor(page / 2 ** 32) | ACCESS_WRITE;
  }
}
