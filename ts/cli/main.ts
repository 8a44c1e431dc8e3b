import { Command, CommanderError } from "commander";
import { calibrateCommand } from "./commands/calibrate.js";
import { compareCommand } from "./commands/compare.js";
import { doctorCommand } from "./commands/doctor.js";
import { playgroundCommand } from "./commands/playground.js";
import { runCommand } from "./commands/run.js";
import { traceCommand } from "./commands/trace.js";
import { verifyCommand } from "./commands/verify.js";
import { describeError } from "./describe-error.js";
import { packageVersion } from "./version.js";

const COMMANDS = [
  compareCommand(),
  runCommand(),
  traceCommand(),
  playgroundCommand(),
  calibrateCommand(),
  verifyCommand(),
  doctorCommand(),
];

/** Exit codes: 0 done, 1 an expectation was not met or the engine differs from the kernel, 2 wrong arguments or input, or a host that cannot do it. */
async function main(): Promise<void> {
  const program = new Command("pte-engine")
    .description("page tables and userfaultfd write-protection, simulated exactly as Linux does them")
    .version(packageVersion())
    .showHelpAfterError("(try --help)")
    .exitOverride();
  for (const command of COMMANDS) {
    program.addCommand(command.exitOverride());
  }
  await program.parseAsync();
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // the reader of our output has gone, as `head` does
  throw error;
});

try {
  await main();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has said what is wrong
  } else {
    process.stderr.write(`pte-engine: ${describeError(error)}\n`);
    process.exitCode = 2;
  }
}
