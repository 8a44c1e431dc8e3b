import "./support/heap";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  ACCESS_WRITE_ELSEWHERE,
  COUNTER_ANON_PAGES,
  OK,
  OUTCOME_DONE,
  REGION_THP,
} from "../abi";
import { accessPage } from "../access";
import { hugeFrameOf } from "../entry";
import { isLarge } from "../frames";
import { isFolioShared, splitAnonymousFolio } from "../split-folio";
import { counterOf } from "../stats";
import { expectConsistent } from "./support/recount";
import {
  ANON,
  countEntries,
  flagsAt,
  frameAt,
  pmdAt,
  SLOT,
  spaceWith,
  valueRead,
  WRITTEN,
  ZERO,
} from "./support/spaces";

describe("splitAnonymousFolio", () => {
  it("keeps the pages that hold something and frees those of zeros", () => {
    const space = spaceWith(SLOT, 2048, ANON | REGION_THP);
    accessPage(space, SLOT + 3, ACCESS_WRITE, 9);
    accessPage(space, SLOT + 4, ACCESS_WRITE_ELSEWHERE, 1);
    const head = hugeFrameOf(pmdAt(space, SLOT));
    expect(isLarge(head)).toBe(true);
    expect(isFolioShared(head)).toBe(false);
    expect(splitAnonymousFolio(space, SLOT + 10, head + 10)).toBe(OK);
    expect(countEntries(space, SLOT, 512, ZERO)).toBe(510);
    expect(flagsAt(space, SLOT + 3)).toBe(WRITTEN);
    expect(flagsAt(space, SLOT + 4)).toBe(WRITTEN);
    expect(frameAt(space, SLOT + 3)).toBe(head + 3);
    expect(isLarge(head + 3)).toBe(false);
    expect(counterOf(space, COUNTER_ANON_PAGES)).toBe(2);
    expect(accessPage(space, SLOT + 3, ACCESS_READ, 0)).toBe(OUTCOME_DONE);
    expect(valueRead()).toBe(9);
    expectConsistent(space);
  });
});
