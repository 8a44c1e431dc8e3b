/** A write to protected memory that does not exist yet takes two faults: one makes the page, one meets the protection. */
import { AddressSpace, createEngine, PAGE_SIZE, Userfaultfd } from "pte-engine";

const space = new AddressSpace(await createEngine());
const uffd = Userfaultfd.open(space, { features: ["wp-unpopulated"] });
const start = space.mmap({ length: 8 * PAGE_SIZE });

uffd.register(start, 8 * PAGE_SIZE, ["wp"]);
uffd.writeProtect(start, 8 * PAGE_SIZE); // nothing is mapped: every entry becomes a marker
show("protected");

const thread = space.write(start, 42);
show(`write: ${thread.outcome}`); // the page is there, and the thread waits

for (let message = uffd.read(); message !== undefined; message = uffd.read()) {
  if (message.event !== "pagefault") continue;
  console.log(`message: ${message.kind} ${message.access} at 0x${message.address.toString(16)}`);
  uffd.removeWriteProtection(message.address, PAGE_SIZE); // and wakes the thread
}
show(`write: ${thread.outcome}, ${thread.minflt} faults`);

function show(what: string): void {
  const pagemap = space.pagemap(start, 1)[0] ?? 0n;
  const { tableBytes, anonPages } = space.status();
  const flags = `${pagemap >> 63n} present, ${(pagemap >> 57n) & 1n} uffd-wp`;
  console.log(`${what}: ${flags}; ${tableBytes / 1024} KiB of tables, ${anonPages} pages`);
}
