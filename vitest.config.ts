import { readFileSync } from "node:fs";
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
    passWithNoTests: false,
  },
});

export default config;
