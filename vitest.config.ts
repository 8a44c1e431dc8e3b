import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  plugins: [
    {
      // as esbuild.config.js does it
      name: "c-sources-as-text",
      enforce: "pre",
      load: (id) => (/\.[ch]$/.test(id) ? `export default ${JSON.stringify(readFileSync(id, "utf8"))}` : undefined),
    },
  ],
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // many tests wait for a browser or a child, so two processors keep two files going
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    passWithNoTests: false,
  },
});

export default config;
