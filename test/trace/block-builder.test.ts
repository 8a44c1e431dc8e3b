import { describe, expect, it } from "vitest";
import { BlockBuilder } from "../../ts/trace/block-builder.js";
import { recordsOf } from "./support/blocks.js";

describe("BlockBuilder", () => {
  it("starts a new record when a count could overflow", () => {
    const builder = new BlockBuilder(8, 3);
    for (let access = 0; access < 7; access++) builder.add(5, 0);
    const counts = recordsOf(builder.take()).map((record) => record.count);
    expect(counts).toEqual([3, 3, 1]);
  });

  it("starts a new record after a block was taken", () => {
    const builder = new BlockBuilder(8);
    builder.add(5, 0);
    expect(builder.room).toBe(7);
    expect(builder.take()).toMatchObject({ length: 1, accesses: 1 });
    builder.add(5, 0);
    builder.add(5, 0);
    expect(recordsOf(builder.take())).toEqual([{ page: 5, kind: "R", count: 2 }]);
    expect(builder.take()).toMatchObject({ length: 0, accesses: 0 });
  });
});
