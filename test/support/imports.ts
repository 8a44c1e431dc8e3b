import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** One source file: its path from the repository's root with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import: a path from the root for a relative import, otherwise the specifier as it is written. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Reads all .ts and .tsx files below `folder` (a path from the root) but those in __tests__ folders; none if it is missing. */
export function readSources(folder: string): SourceFile[] {
  if (!existsSync(ROOT + folder)) return [];
  const names = readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" });
  return names
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .filter((path) => /\.tsx?$/.test(path) && !path.includes("/__tests__/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(ROOT + path, "utf8") }));
}

/** Lists the imports of a file: static, type-only, re-exports and dynamic ones. */
export function importsOf(file: SourceFile): Import[] {
  return ts
    .preProcessFile(file.text, true, false)
    .importedFiles.map((found) => ({ from: file.path, to: resolveSpecifier(file.path, found.fileName) }));
}

/** Lists the files that can be reached from `entry` by imports among `files`, `entry` itself included. */
export function reachableFrom(entry: string, files: readonly SourceFile[]): SourceFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<SourceFile>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(file)) continue;
    reached.add(file);
    waiting.push(...importsOf(file).map((found) => found.to));
  }
  return [...reached];
}

/** Tells whether a program text uses `name` as an identifier; comments and strings do not count. */
export function usesIdentifier(file: SourceFile, name: string): boolean {
  const visit = (node: ts.Node): boolean =>
    (ts.isIdentifier(node) && node.text === name) || ts.forEachChild(node, visit) === true;
  return visit(ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2022));
}

/** AssemblyScript imports name no extension and the host's end in .js: both mean the .ts file. */
function resolveSpecifier(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  const path = posix.join(posix.dirname(from), specifier);
  return `${path.replace(/\.(js|ts)$/, "")}.ts`;
}
