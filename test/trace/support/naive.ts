/**
 * Slow parsers for the tests: a string per line, a regular expression per format, BigInt addresses. They share no
 * code with the readers.
 */
export type Kind = "R" | "W" | "F";

/** One page access. */
export interface Access {
  readonly page: number;
  readonly kind: Kind;
}

/** One record: equal accesses in a row. */
export interface Run extends Access {
  readonly count: number;
}

const USER_END = 1n << 47n;

/** Pages of `bytes` bytes at `address`; none in the kernel's half. */
export function pages(address: bigint, bytes: bigint, kind: Kind): Access[] {
  const found: Access[] = [];
  for (let page = address >> 12n; page <= (address + bytes - 1n) >> 12n; page++) {
    if (page << 12n < USER_END) found.push({ page: Number(page), kind });
  }
  return found;
}

export function naiveLackey(text: string): Access[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^([I ])([ SLM]) ([0-9a-f]+),(\d+)$/.exec(line);
    if (match === null) return [];
    const kind = match[1] === "I" ? "F" : match[2] === "L" ? "R" : "W";
    return pages(BigInt(`0x${match[3] ?? ""}`), BigInt(match[4] ?? ""), kind);
  });
}

export function naivePerf(text: string): Access[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /\d+\.\d+: +(?:\S+: +)?([0-9a-f]+)(?: |$)/.exec(line);
    return match === null ? [] : pages(BigInt(`0x${match[1] ?? ""}`), 1n, "W");
  });
}

export function naiveFtrace(text: string): Access[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /page_fault_(?:user|kernel): address=0x([0-9a-f]+) ip=.* error_code=0x([0-9a-f]+)$/.exec(line);
    if (match === null) return [];
    const code = Number.parseInt(match[2] ?? "", 16);
    return pages(BigInt(`0x${match[1] ?? ""}`), 1n, code & 2 ? "W" : code & 16 ? "F" : "R");
  });
}

export function naiveChampsim(bytes: Uint8Array): Access[] {
  const words = new BigUint64Array(bytes.slice().buffer);
  const found: Access[] = [];
  for (let word = 0; word < words.length; word += 8) {
    const [ip = 0n, , ...slots] = words.subarray(word, word + 8);
    found.push(...pages(ip, 1n, "F"));
    for (const load of slots.slice(2)) if (load !== 0n) found.push(...pages(load, 8n, "R"));
    for (const store of slots.slice(0, 2)) if (store !== 0n) found.push(...pages(store, 8n, "W"));
  }
  return found;
}

/** Joins equal neighbours. */
export function runsOf(accesses: readonly Access[]): Run[] {
  const runs: { page: number; kind: Kind; count: number }[] = [];
  for (const { page, kind } of accesses) {
    const last = runs.at(-1);
    if (last?.page === page && last.kind === kind) last.count++;
    else runs.push({ page, kind, count: 1 });
  }
  return runs;
}
