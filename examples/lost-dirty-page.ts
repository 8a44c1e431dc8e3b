/** Who tracks dirty pages by write-protecting them loses a page that did not exist then, unless WP_UNPOPULATED is asked for. */
import { AddressSpace, createEngine, type Feature, PAGE_SIZE, Userfaultfd } from "pte-engine";

const engine = await createEngine();
const variants: Feature[][] = [[], ["wp-unpopulated"]];

for (const features of variants) {
  const space = new AddressSpace(engine);
  const uffd = Userfaultfd.open(space, { features });
  const start = space.mmap({ length: 3 * PAGE_SIZE });
  space.write(start, 1); // page 0 exists before the snapshot, pages 1 and 2 do not

  uffd.register(start, 3 * PAGE_SIZE, ["wp"]);
  uffd.writeProtect(start, 3 * PAGE_SIZE); // the snapshot: from here on, what is written has to be noticed

  const noticed = [0, 1].filter((page) => writeIsNoticed(space, uffd, start + page * PAGE_SIZE));
  console.log(`features [${features.join()}]: wrote pages 0 and 1, noticed ${noticed.join(" and ")}`);
  space.dispose();
}

function writeIsNoticed(space: AddressSpace, uffd: Userfaultfd, address: number): boolean {
  space.write(address, 2);
  const message = uffd.read();
  uffd.removeWriteProtection(address, PAGE_SIZE);
  return message !== undefined;
}
