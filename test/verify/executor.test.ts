import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Executor } from "../../ts/verify/kernel/executor.js";
import { NOT_BEGUN } from "../../ts/verify/kernel/protocol.js";

const folder = mkdtempSync(join(tmpdir(), "executor-"));
let executor: Executor;

/** An executor that cannot begin a scenario at first, and then answers with no record at all. */
function executorThatFails(times: number): Executor {
  const program = join(folder, "program");
  const starts = join(folder, "starts");
  writeFileSync(starts, "");
  const script = `#!/bin/sh
echo >> ${starts}
if [ $(wc -l < ${starts}) -le ${times} ]; then echo 'executor: cannot fork' >&2; exit ${NOT_BEGUN}; fi
head -c 8 /dev/zero
exec cat > /dev/null
`;
  writeFileSync(program, script, { mode: 0o700 });
  executor = new Executor({ program, cpu: 0, folder, stepTimeoutMs: 1000 });
  return executor;
}

afterEach(async () => {
  await executor.close();
  rmSync(join(folder, "program"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("an executor that cannot begin a scenario", () => {
  it("is started again", async () => {
    expect(await executorThatFails(2).run([])).toEqual([]);
  });

  it("says so when it is closed", async () => {
    const done = executorThatFails(1000).run([]);
    const refused = expect(done).rejects.toThrow("the executor was closed");
    await executor.close();
    await refused;
  });
});
