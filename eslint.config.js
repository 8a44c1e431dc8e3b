import tseslint from "typescript-eslint";

/** Rules that need no type information; the only ones AssemblyScript sources can be held to. */
const untypedRules = {
  "no-debugger": "error",
  "no-dupe-else-if": "error",
  "no-duplicate-case": "error",
  "no-self-assign": "error",
  "no-unreachable": "error",
  "no-var": "error",
  "prefer-const": "error",
  "max-depth": ["error", 3],
  "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }],
};

export default tseslint.config(
  { ignores: ["node_modules/", "build/", "dist/", "coverage/", "**/*.d.ts"] },
  {
    files: ["ts/**/*.ts", "test/**/*.ts", "bench/**/*.ts", "playground/**/*.{ts,tsx}", "vitest.config.ts"],
    ignores: ["bench/limits/**"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      ...untypedRules,
      eqeqeq: "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    // describe() blocks are lists of cases, not functions to be read at one go
    files: ["test/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  {
    // AssemblyScript allows decorators on functions and constants; asc is its type checker
    files: ["assembly/**/*.ts", "bench/limits/**/*.ts"],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { allowInvalidAST: true } },
    rules: {
      ...untypedRules,
      // "local": a @global or @lazy constant looks unused to a TypeScript parser
      "no-unused-vars": ["error", { vars: "local", args: "none" }],
    },
  },
  {
    files: ["assembly/__tests__/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  {
    files: ["scripts/**/*.mjs", "bench/**/*.mjs", "*.js"],
    rules: { ...untypedRules, "no-unused-vars": "error", eqeqeq: "error" },
  },
);
