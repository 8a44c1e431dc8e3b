import * as abi from "../../../assembly/abi.js";

/**
 * Colours of the map. Each state is a step further away from the background than the one before it, in the order of how notable they are, so
 * they are told apart in grey as well; hues are not needed but help: warm is write-protected, where a write will be seen; blue and green are
 * pages that can be written unseen.
 */

/** Which of the two sets of colours. */
export type Theme = "light" | "dark";

/** A state of an entry as the map shows it. */
export interface EntryState {
  readonly name: string;
  /** What stands in a cell that is large enough for it. */
  readonly sign: string;
  /** One sentence for the legend. */
  readonly meaning: string;
}

/** By STATE_ number of the engine. */
export const ENTRY_STATES: readonly EntryState[] = [
  { name: "none", sign: "·", meaning: "No entry: the first access takes a fault, and no tracker is told of it." },
  { name: "marker", sign: "m", meaning: "uffd-wp marker: no page yet, but its first write will be seen." },
  { name: "zero page", sign: "z", meaning: "The shared zero page, put there by a read." },
  { name: "zero page, wp", sign: "zw", meaning: "The shared zero page, write-protected by userfaultfd." },
  { name: "clean", sign: "c", meaning: "A page that was not written through this entry." },
  { name: "huge, clean", sign: "Hc", meaning: "A huge page, mapped by the PMD entry, that was not written." },
  { name: "write-protected", sign: "w", meaning: "A page that userfaultfd write-protects: a write will be seen." },
  { name: "huge, wp", sign: "Hw", meaning: "A huge page that userfaultfd write-protects." },
  { name: "swap", sign: "s", meaning: "The page is in swap." },
  { name: "swap, wp", sign: "sw", meaning: "The page is in swap and stays write-protected." },
  { name: "huge, dirty", sign: "Hd", meaning: "A huge page that was written." },
  { name: "dirty", sign: "d", meaning: "A page that was written." },
  { name: "guard", sign: "G", meaning: "Guard marker: an access ends in SIGSEGV." },
  { name: "poison", sign: "P", meaning: "Poison marker: an access ends in SIGBUS." },
];

const COLOURS: Readonly<Record<Theme, readonly string[]>> = {
  light: [
    "#f2f4f6",
    "#ffdc88",
    "#b0d3d3",
    "#e6b364",
    "#4db4ea",
    "#33a9a2",
    "#d76a14",
    "#d44c2b",
    "#8754a7",
    "#9e2972",
    "#05535e",
    "#013790",
    "#571121",
    "#0e0e0e",
  ],
  dark: [
    "#23262a",
    "#4b3c0d",
    "#365050",
    "#755410",
    "#056da8",
    "#01857f",
    "#cd6f14",
    "#ed744b",
    "#c193e9",
    "#da9fe3",
    "#59d9dc",
    "#a6e1fe",
    "#fee2e2",
    "#fefefe",
  ],
};

/** Colours of everything else on the map. */
export interface Inks {
  /** Where nothing is mapped. */
  readonly ground: string;
  /** Where something is mapped and no table is there. */
  readonly mapped: string;
  /** Outlines and names of mappings. */
  readonly mapping: string;
  /** Outlines of tables, and of names on them. */
  readonly table: string;
  /** Behind names. */
  readonly plate: string;
  readonly ink: string;
  readonly quiet: string;
  /** The pinned page and the keyboard's cursor. */
  readonly mark: string;
}

export const INKS: Readonly<Record<Theme, Inks>> = {
  light: {
    ground: "#dfe3e8",
    mapped: "#ffffff",
    mapping: "#0a5cb8",
    table: "#16191d",
    plate: "#ffffffe6",
    ink: "#16191d",
    quiet: "#55606c",
    mark: "#c2003f",
  },
  dark: {
    ground: "#07090c",
    mapped: "#191d22",
    mapping: "#74b4f5",
    table: "#e4e8ec",
    plate: "#14181de6",
    ink: "#e4e8ec",
    quiet: "#9aa5b1",
    mark: "#ff6b98",
  },
};

/** A cell that is mixed shows at least so much of a state that is more notable than the usual one, however rare it is. */
const LEAST_OF_NOTABLE = 0.8;
/** And of one that is less notable. */
const LEAST_OF_OTHER = 0.25;

/** Returns the colour of a state. */
export function stateColour(state: number, theme: Theme): string {
  return COLOURS[theme][state] ?? INKS[theme].ground;
}

/** Returns black or white, whichever can be read on a state's colour. */
export function textOn(state: number, theme: Theme): string {
  const [red, green, blue] = channels(stateColour(state, theme)).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000000" : "#ffffff";
}

/** Returns the colour of a cell of a tile for an image, red in the lowest byte; 0, transparent, where no table is. */
export function cellColour(cell: number, theme: Theme): number {
  const usual = cell & 0xff;
  const notable = (cell >>> abi.CELL_NOTABLE_SHIFT) & 0xff;
  const tables = cell >>> abi.CELL_FLAGS_SHIFT;
  const words = WORDS[theme];
  if (usual === notable) return usual === abi.STATE_NONE && (tables & HAS_ENTRIES) === 0 ? 0 : (words[usual] ?? 0);
  return mixed(words[usual] ?? 0, words[notable] ?? 0, weightOfNotable(cell));
}

const HAS_ENTRIES = abi.CELL_PTE_REAL | abi.CELL_PTE_SHARED | abi.CELL_HUGE;

function weightOfNotable(cell: number): number {
  const usual = cell & 0xff;
  const notable = (cell >>> abi.CELL_NOTABLE_SHIFT) & 0xff;
  const share = ((cell >>> abi.CELL_SHARE_SHIFT) & 0xff) / 255;
  const least = notable > usual ? LEAST_OF_NOTABLE : LEAST_OF_OTHER;
  return least + (1 - least) * share;
}

function mixed(first: number, second: number, weight: number): number {
  const channel = (shift: number): number => {
    const from = (first >>> shift) & 0xff;
    return Math.round(from + (((second >>> shift) & 0xff) - from) * weight) << shift;
  };
  return (channel(0) | channel(8) | channel(16) | 0xff000000) >>> 0;
}

function channels(colour: string): [number, number, number] {
  const number = Number.parseInt(colour.slice(1, 7), 16);
  return [number >>> 16, (number >>> 8) & 0xff, number & 0xff];
}

const WORDS: Readonly<Record<Theme, readonly number[]>> = { light: words("light"), dark: words("dark") };

function words(theme: Theme): number[] {
  return COLOURS[theme].map((colour) => {
    const [red, green, blue] = channels(colour);
    return (red | (green << 8) | (blue << 16) | 0xff000000) >>> 0;
  });
}
