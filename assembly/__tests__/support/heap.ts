/**
 * The heap of the specs. The language's allocator takes all memory there is when it is first used; it must be used before the engine
 * reserves its own, so every spec imports this file first.
 */
heap.free(heap.alloc(8));
