import { RESULT_BYTES } from "./abi";

/** The block of linear memory in which calls leave what does not fit into their return value (layout: RESULT_ in `abi.ts`). */
export const result: usize = memory.data(RESULT_BYTES, 16);
