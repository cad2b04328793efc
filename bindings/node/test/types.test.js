/** The types hold for what a strict program does, and refuse what it may not. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
const { bin } = createRequire(import.meta.url)(manifest);

test("tsc --strict", () => {
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"];
  const tsc = join(dirname(manifest), bin.tsc);
  const done = spawnSync(process.execPath, [tsc, ...options, "test/types.ts"], { cwd: ROOT, encoding: "utf8" });
  assert.equal(done.status, 0, done.stdout + done.stderr);
});
