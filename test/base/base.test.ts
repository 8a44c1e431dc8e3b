import { describe, expect, it } from "vitest";
import { ERRNO, KernelError, OutOfMemoryError } from "../../ts/base/errors.js";
import {
  ADDRESS_LIMIT,
  checkCount,
  checkPage,
  formatBytes,
  hex,
  isPageAligned,
  PAGE_LIMIT,
  parseSize,
  roundUpToPages,
  toNumber,
} from "../../ts/base/pages.js";
import { Random } from "../../ts/base/random.js";

describe("numbers", () => {
  it.each([0, 1, 2 ** 53 - 1, 0n, 2n ** 53n - 1n])("%s is one", (value) => {
    expect(toNumber(value, "x")).toBe(Number(value));
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53, -1n, 2n ** 53n, 2n ** 53n + 1n])("%s is out of range", (value) => {
    expect(() => toNumber(value, "x")).toThrow(RangeError);
    expect(() => toNumber(value, "x")).toThrow(`"x" expected an integer from 0 to 2^53 - 1, got ${value}`);
  });

  it.each(["1", null, undefined, {}])("%s is none", (value) => {
    expect(() => toNumber(value as number, "x")).toThrow(TypeError);
  });
});

describe("pages and counts", () => {
  it("end where Linux ends user space", () => {
    expect([ADDRESS_LIMIT, PAGE_LIMIT]).toEqual([0x7ffffffff000, 0x7ffffffff]);
    expect(checkPage(PAGE_LIMIT, "x")).toBe(PAGE_LIMIT);
    expect(() => checkPage(PAGE_LIMIT + 1, "x")).toThrow('"x"');
    expect(() => checkPage(-1, "x")).toThrow(RangeError);
    expect(checkCount(3, "x", 3)).toBe(3);
    expect(() => checkCount(4, "x", 3)).toThrow('"x" expected an integer from 0 to 3, got 4');
  });

  it("are aligned and rounded", () => {
    expect([isPageAligned(0), isPageAligned(4096), isPageAligned(4097)]).toEqual([true, true, false]);
    expect([0, 1, 4096, 4097, 2 ** 46 + 1].map(roundUpToPages)).toEqual([0, 4096, 4096, 8192, 2 ** 46 + 4096]);
    expect(hex(0x100000000000)).toBe("0x100000000000");
  });
});

describe("sizes", () => {
  it.each([
    ["0", 0],
    ["4096", 4096],
    ["4K", 4096],
    ["4k", 4096],
    ["2M", 2 ** 21],
    ["10G", 10 * 2 ** 30],
    ["10GiB", 10 * 2 ** 30],
    ["1TB", 2 ** 40],
    [" 7B ", 7],
  ])("%j is %i bytes", (text, bytes) => {
    expect(parseSize(text, "ram")).toBe(bytes);
  });

  it.each(["", "G", "-1", "1.5G", "1X", "1 G", "0x10", "99999999T", "1GG"])("%j is refused", (text) => {
    expect(() => parseSize(text, "ram")).toThrow('"ram" expected a size such as 512M or 4G');
  });

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [20 * 2 ** 20, "20.0 MiB"],
    [10 * 2 ** 30, "10.0 GiB"],
    [2 ** 52, "4096.0 TiB"],
  ])("%i bytes are written %j", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("random numbers", () => {
  it("are the same for the same seed, and others for another", () => {
    const draw = (seed: number): number[] =>
      Array.from(
        { length: 20 },
        (
          (random) => () =>
            random.next()
        )(new Random(seed)),
      );
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it("are integers of 32 bits, fractions below 1 and numbers below a limit", () => {
    const random = new Random(0);
    for (let i = 0; i < 10_000; i++) {
      const [word, fraction, below] = [random.next(), random.fraction(), random.below(10)];
      expect(Number.isInteger(word) && word >= 0 && word < 2 ** 32).toBe(true);
      expect(fraction >= 0 && fraction < 1).toBe(true);
      expect(Number.isInteger(below) && below >= 0 && below < 10).toBe(true);
    }
  });

  it("come about equally often, also with neighbouring seeds", () => {
    const random = new Random(1);
    const draws = [
      () => random.below(16),
      (
        (seed) => () =>
          new Random(seed++).below(16)
      )(0),
    ];
    for (const draw of draws) {
      const seen = new Array<number>(16).fill(0);
      for (let i = 0; i < 16_000; i++) {
        const value = draw();
        seen[value] = (seen[value] ?? 0) + 1;
      }
      for (const count of seen) expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(1000));
    }
  });
});

describe("errors", () => {
  it("have the numbers of Linux", () => {
    expect(ERRNO).toEqual({
      EPERM: 1,
      ENOENT: 2,
      ESRCH: 3,
      EBADF: 9,
      EAGAIN: 11,
      ENOMEM: 12,
      EACCES: 13,
      EFAULT: 14,
      EBUSY: 16,
      EEXIST: 17,
      EINVAL: 22,
      ENOTTY: 25,
      ENOSPC: 28,
      EHWPOISON: 133,
    });
  });

  it("say what they are", () => {
    const error = new KernelError("copy", "EEXIST", "something is there", "-EEXIST");
    expect(`${error}`).toBe("KernelError: copy: EEXIST: something is there");
    expect([error.errno, error.progress]).toEqual([17, "-EEXIST"]);
    expect(`${new OutOfMemoryError("protect", 65536)}`).toContain(
      "protect: the engine's memory is used up (65536 bytes",
    );
  });
});
