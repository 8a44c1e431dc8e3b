import {
  AddressSpace,
  createEngine,
  type Engine,
  type Feature,
  KernelError,
  type Mode,
  Userfaultfd,
} from "../../ts/node.js";
import { engineUrl } from "./engine-url.js";

export const PAGE = 4096;
export const MARKER = 0xfffffffffffffc00n;
export const MARKER_WORD = 0x420000000000003fn;
export const WP_BIT: bigint = 1n << 57n;

/** An address space of its own engine with one mapping, registered with one descriptor. */
export interface Setup {
  readonly engine: Engine;
  readonly space: AddressSpace;
  readonly uffd: Userfaultfd;
  /** Address of the mapping. */
  readonly at: number;
  readonly bytes: number;
}

/** What a setup is made with; 8 pages, registered for wp, by default. */
export interface SetupOptions {
  readonly features?: readonly Feature[];
  readonly modes?: readonly Mode[];
  readonly pages?: number;
  readonly userModeOnly?: boolean;
}

export async function setUp(options: SetupOptions = {}): Promise<Setup> {
  const engine = await createEngine({}, engineUrl);
  const space = new AddressSpace(engine);
  const { features = [], userModeOnly = false } = options;
  const uffd = Userfaultfd.open(space, { features, userModeOnly });
  const bytes = (options.pages ?? 8) * PAGE;
  const at = space.mmap({ length: bytes });
  const modes = options.modes ?? ["wp"];
  if (modes.length > 0) uffd.register(at, bytes, modes);
  return { engine, space, uffd, at, bytes };
}

/** The name of the error that a call throws, with its progress field if it has one; "ok" if it throws none. */
export function errorOf(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return error.progress === undefined ? error.code : `${error.code}, field ${error.progress}`;
  }
}

/** The pagemap word of one page. */
export function word(space: AddressSpace, address: number): bigint {
  return space.pagemap(address, 1)[0] ?? 0n;
}
