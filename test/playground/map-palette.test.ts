import { describe, expect, it } from "vitest";
import * as abi from "../../assembly/abi.js";
import { cellColour, ENTRY_STATES, INKS, stateColour, textOn, type Theme } from "../../playground/src/map/palette.js";

const THEMES: readonly Theme[] = ["light", "dark"];
/** A step of lightness that one sees side by side. */
const LEAST_STEP = 4.5;
/** What an area has to differ from its surroundings (WCAG 1.4.11), and a text from its ground. */
const TEXT_CONTRAST = 4.5;

type Rgb = readonly [number, number, number];

/** Linear light of a colour. */
function linear(colour: string): Rgb {
  const part = (at: number): number => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [part(1), part(3), part(5)];
}

function luminance([r, g, b]: Rgb): number {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** CIE L*. */
function lightness(colour: Rgb): number {
  const y = luminance(colour);
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

/** What people see who lack one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1). */
const VISIONS: Readonly<Record<string, readonly [Rgb, Rgb, Rgb]>> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function seen(colour: Rgb, vision: readonly [Rgb, Rgb, Rgb]): Rgb {
  const channel = (row: Rgb): number =>
    Math.min(1, Math.max(0, row[0] * colour[0] + row[1] * colour[1] + row[2] * colour[2]));
  return [channel(vision[0]), channel(vision[1]), channel(vision[2])];
}

/** Distance in CIE L*a*b*. */
function difference(a: Rgb, b: Rgb): number {
  const [p, q] = [lab(a), lab(b)];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

function lab([r, g, b]: Rgb): Rgb {
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const y = f(luminance([r, g, b]));
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function contrast(a: Rgb, b: Rgb): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((p, q) => p - q);
  return (high + 0.05) / (low + 0.05);
}

describe.each(THEMES)("the colours of states, %s", (theme) => {
  const colours = ENTRY_STATES.map((_, state) => linear(stateColour(state, theme)));

  it("are there for every state", () => {
    expect(ENTRY_STATES).toHaveLength(abi.STATE_COUNT);
    expect(new Set(ENTRY_STATES.map(({ sign }) => sign)).size).toBe(abi.STATE_COUNT);
  });

  it("are steps of lightness, so that they differ in grey", () => {
    const steps = colours.map(lightness);
    const sign = theme === "light" ? -1 : 1;
    steps.slice(1).forEach((step, i) => expect(sign * (step - (steps[i] ?? 0))).toBeGreaterThan(LEAST_STEP));
  });

  it.each(Object.keys(VISIONS))("differ with %s", (name) => {
    const vision = VISIONS[name] as readonly [Rgb, Rgb, Rgb];
    const asSeen = colours.map((colour) => seen(colour, vision));
    asSeen.forEach((a, i) => {
      for (const b of asSeen.slice(i + 1)) expect(difference(a, b)).toBeGreaterThan(LEAST_STEP);
    });
  });

  it("carry text that can be read", () => {
    colours.forEach((colour, state) => {
      expect(contrast(linear(textOn(state, theme)), colour)).toBeGreaterThan(TEXT_CONTRAST);
    });
    const { ink, quiet, mapping, plate } = INKS[theme];
    for (const text of [ink, quiet, mapping]) {
      expect(contrast(linear(text), linear(plate))).toBeGreaterThan(TEXT_CONTRAST);
    }
  });

  it("keep what is rare in sight", () => {
    const cell = abi.STATE_MARKER | (abi.STATE_DIRTY << 8) | (1 << 16) | (abi.CELL_PTE_REAL << 24);
    const mixed = cellColour(cell >>> 0, theme);
    const hex = [mixed & 0xff, (mixed >>> 8) & 0xff, (mixed >>> 16) & 0xff].map((part) =>
      part.toString(16).padStart(2, "0"),
    );
    const marker = colours[abi.STATE_MARKER] as Rgb;
    expect(difference(linear(`#${hex.join("")}`), marker)).toBeGreaterThan(30);
  });

  it("leave out what has no table", () => {
    expect(cellColour((255 << 16) | (abi.CELL_PTE_MISSING << 24), theme)).toBe(0);
    expect(cellColour(((255 << 16) | (abi.CELL_PTE_REAL << 24)) >>> 0, theme)).not.toBe(0);
  });
});
