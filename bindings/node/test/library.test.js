/** Where the library is looked for, and what is said where it is not. Each case is a process of its own. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { info } from "habitus";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NAME = "libhabitus.so";
const program = (what) => `import { info, score } from "habitus"; ${what}`;
const WHERE = program("console.log(info().library)");
const SAID = program(
  "try { score([[1]], [[0]]) } catch (error) { console.log(error.name, error.code, error.message) }",
);

let folder;

/** A copy of the package, without a library of its own. */
before(() => {
  folder = mkdtempSync(join(tmpdir(), "habitus-"));
  cpSync(join(ROOT, "lib"), join(folder, "lib"), { recursive: true });
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});

after(() => rmSync(folder, { recursive: true, force: true }));

function run(code, environment = {}) {
  const env = { PATH: join(folder, "bin"), LD_LIBRARY_PATH: "", ...environment };
  const options = { cwd: folder, env, encoding: "utf8" };
  const done = spawnSync(process.execPath, ["--input-type=module", "--eval", code], options);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout.trim();
}

/** A program of that name in the one folder of PATH, gone after `work`. */
function withProgram(name, lines, work) {
  const path = join(folder, "bin", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  try {
    work();
  } finally {
    rmSync(path);
  }
}

function withLibrary(under, work) {
  const path = join(folder, under, NAME);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(info().library, path);
  try {
    work(path);
  } finally {
    rmSync(dirname(path), { recursive: true });
  }
}

test("info", () => {
  const { version, variant, candidates, library } = info();
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.match(variant, /^(x86-64-v[234]|generic)$/);
  assert.ok(candidates.length > 0 && candidates.every((number, place) => number > (candidates[place - 1] ?? 0)));
  assert.ok(library.endsWith(".so"));
});

test("HABITUS_LIBRARY comes first", () => {
  withLibrary("native", () => assert.equal(run(WHERE, { HABITUS_LIBRARY: info().library }), info().library));
});

test("then the copy in the package", () => {
  withLibrary("native", (path) => assert.equal(run(WHERE), path));
});

test("then what pkg-config knows", () => {
  withLibrary("elsewhere", (path) => {
    const lines = `[ "$*" = "--variable=libdir habitus" ] && echo ${dirname(path)}`;
    withProgram("pkg-config", lines, () => assert.equal(run(WHERE), path));
  });
});

test("then what Python knows", () => {
  withLibrary("elsewhere", (path) => {
    const lines = `[ "$*" = "-P -m habitus_bindings.native where" ] && echo ${path}`;
    withProgram("python3", lines, () => assert.equal(run(WHERE), path));
  });
});

test("then the loader's own search", () => {
  withLibrary("elsewhere", (path) => assert.equal(run(WHERE, { LD_LIBRARY_PATH: dirname(path) }), NAME));
});

test("programs that fail or name nothing are passed over", () => {
  withLibrary("elsewhere", (path) => {
    withProgram("pkg-config", `echo ${folder}/nowhere`, () => {
      withProgram("python3", `echo ${path}; exit 1`, () => {
        assert.match(run(SAID), /^HabitusError NO_LIBRARY expected libhabitus: .*habitus_bindings.native install/);
      });
    });
  });
});

test("missing: importing works, the first call says in one line what to run", () => {
  const said = run(SAID);
  assert.match(said, /^HabitusError NO_LIBRARY expected libhabitus: .*`python3 -m habitus_bindings.native install`/);
  assert.equal(said.split("\n").length, 1);
});

test("a wrong HABITUS_LIBRARY is said, not passed over", () => {
  withLibrary("native", () => {
    const none = join(folder, "none.so");
    assert.match(
      run(SAID, { HABITUS_LIBRARY: none }),
      /NO_LIBRARY .*HABITUS_LIBRARY names .*none.so, which is no file/,
    );
    const text = join(folder, "package.json");
    assert.match(run(SAID, { HABITUS_LIBRARY: text }), /NO_LIBRARY expected libhabitus, .*package.json is none/);
  });
});

test("a library of another version is refused", () => {
  const manifest = join(folder, "package.json");
  writeFileSync(
    manifest,
    JSON.stringify({ name: "habitus", version: "7.1.0", type: "module", exports: "./lib/index.js" }),
  );
  try {
    const said = run(SAID, { HABITUS_LIBRARY: info().library });
    assert.match(said, /NO_LIBRARY expected libhabitus 7.1, .* is \d+\.\d+\.\d+/);
  } finally {
    copyFileSync(join(ROOT, "package.json"), manifest);
  }
});

test("CommonJS: by import()", () => {
  const code = `import("habitus").then(({ score }) => console.log(score([[1, 3]], [[1]]).valid[0]))`;
  const env = { ...process.env, HABITUS_LIBRARY: info().library };
  const done = spawnSync(process.execPath, ["--input-type=commonjs", "--eval", code], {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  assert.equal(done.stdout.trim(), "1", done.stderr);
});
