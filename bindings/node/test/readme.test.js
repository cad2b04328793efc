/** The README's examples print what the README says. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEXT = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** Processors may differ in the last digits. */
const rounded = (text) => text.replace(/\d+\.\d{12,}/g, (number) => Number(number).toFixed(12));

test("the examples", () => {
  const examples = [...TEXT.matchAll(/```js\n(.*?)```\n\n```\n(.*?)```/gs)];
  assert.equal(examples.length, 2);
  for (const [, program, output] of examples) {
    const options = { cwd: ROOT, encoding: "utf8" };
    const done = spawnSync(process.execPath, ["--input-type=module", "--eval", program], options);
    assert.equal(rounded(done.stdout), rounded(output), done.stderr);
  }
});
