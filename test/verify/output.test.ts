import { describe, expect, it } from "vitest";
import { MeasureOutput } from "../../ts/verify/measure/output.js";

describe("the output of the measuring program", () => {
  it("is samples by figure, rows, conditions and progress", () => {
    const shares: number[] = [];
    const output = new MeasureOutput((share) => shares.push(share));
    output.add('{"host":{"cpu":0,"otherCpu":1,"preferred":true,"hugeZeroPage":false}}');
    output.add('{"figure":"call","ns":300.5,"operations":1}');
    output.add('{"figure":"call","ns":310,"operations":1}');
    output.add('{"row":"wp","thp":"on","prefaultNs":0,"protectNs":900}');
    output.add('{"progress":0.5}');
    expect([...output.figures]).toEqual([["call", [300.5, 310]]]);
    expect(output.seedSamples).toEqual([{ tracker: "wp", hugePages: "on", prefaultNs: 0, protectNs: 900 }]);
    expect(output.conditions).toMatchObject({ otherCpu: 1, hugeZeroPage: false });
    expect(shares).toEqual([0.5]);
    expect(output.failure).toBeUndefined();
  });

  it.each([
    ["userfaultfd", "Operation not permitted", /does not let this process use userfaultfd.*Operation not permitted/],
    ["UFFDIO_API", "Invalid argument", /WP_UNPOPULATED came with Linux 6\.4/],
    ["PAGEMAP_SCAN", "Inappropriate ioctl for device", /Linux 6\.7/],
    ["mmap", "Cannot allocate memory", /^mmap: Cannot allocate memory$/],
  ])("explains a failed %s", (failed, errno, text) => {
    const output = new MeasureOutput();
    output.add(JSON.stringify({ failed, errno }));
    expect(output.failure).toMatch(text);
  });

  it.each(["hello", "3", "null", "{}", '{"figure":"call"}', '{"figure":"call","ns":"1"}', '{"row":"wp"}'])(
    "with a line that it does not print, %j, is refused with the line",
    (line) => {
      expect(() => new MeasureOutput().add(line)).toThrow(line);
    },
  );
});
