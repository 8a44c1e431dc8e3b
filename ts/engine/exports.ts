/** What `engine.wasm` exports. A test compares this list with what the compiler says. */
export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  limitMemory(wasmPages: number): void;
  reserve(bytes: number): number;
  resultBlock(): number;
  scanState(): number;
  createSpace(): number;
  destroySpace(space: number): void;
  regionBuffer(space: number, count: number): number;
  publishRegions(space: number, count: number): void;
  protect(space: number, firstPage: number, pageCount: number, flags: number): number;
  unprotect(space: number, firstPage: number, pageCount: number, flags: number): number;
  changeProtection(space: number, firstPage: number, pageCount: number, flags: number): number;
  zap(space: number, firstPage: number, pageCount: number, flags: number): number;
  freeTables(space: number, firstPage: number, pageCount: number, floor: number, ceiling: number): void;
  populate(space: number, firstPage: number, pageCount: number, access: number): number;
  fillCopy(space: number, firstPage: number, pageCount: number, flags: number, value: number, step: number): number;
  fillZero(space: number, firstPage: number, pageCount: number, flags: number): number;
  fillPoison(space: number, firstPage: number, pageCount: number): number;
  installGuards(space: number, firstPage: number, pageCount: number): number;
  removeGuards(space: number, firstPage: number, pageCount: number): number;
  access(space: number, page: number, kind: number, value: number): number;
  resume(space: number, page: number, kind: number, value: number, waits: number): number;
  touch(space: number, firstPage: number, pageCount: number, stride: number, kind: number, value: number): number;
  setFaultRecords(address: number, capacity: number): void;
  replay(space: number, records: number, count: number, value: number, policy: number, waits: number): number;
  scan(space: number, firstPage: number, pageCount: number): number;
  readPagemap(space: number, firstPage: number, pageCount: number, target: number): void;
  readEntries(space: number, firstPage: number, pageCount: number, target: number): void;
  readContents(space: number, firstPage: number, pageCount: number, target: number): void;
}
