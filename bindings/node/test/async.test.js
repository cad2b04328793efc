/** scoreAsync: the same scores, the event loop free, and no memory that the caller may take away. */

import assert from "node:assert/strict";
import test from "node:test";
import { Worker } from "node:worker_threads";

import { HabitusError, score, scoreAsync } from "habitus";
import { random } from "./random.js";

const CANDIDATES = 50;
const LENGTH = 10;

function draw(tasks, seed = 5) {
  const { below, shuffled } = random(seed);
  const counts = Int32Array.from({ length: tasks * CANDIDATES }, () => below(40) + 1);
  const rankings = Int16Array.from(Array.from({ length: tasks }, () => shuffled(CANDIDATES).slice(0, LENGTH)).flat());
  return [
    { data: counts, columns: CANDIDATES },
    { data: rankings, columns: LENGTH },
  ];
}

test("the same to the bit", async () => {
  const drawn = draw(300);
  const options = { alpha: 0.5, fill: "worst", task: Int32Array.from({ length: 300 }, (_, place) => 299 - place) };
  assert.deepStrictEqual(await scoreAsync(...drawn, options), score(...drawn, options));
});

test("as many candidates as fill the stack of another thread, if anything does", async () => {
  for (const candidates of [1, 100, 1000, 4096, 4097, 9000]) {
    const { shuffled } = random(candidates);
    const counts = { data: Int32Array.from(shuffled(candidates), (count) => count + 1), columns: candidates };
    const rankings = { data: Int16Array.from(shuffled(candidates)), columns: candidates };
    assert.deepStrictEqual(await scoreAsync(counts, rankings), score(counts, rankings));
  }
});

test("arrays that are written to, given away or collected meanwhile", async () => {
  const expected = score(...draw(2000));
  const pending = Array.from({ length: 20 }, () => {
    const [counts, rankings] = draw(2000);
    const scores = scoreAsync(counts, rankings);
    counts.data.fill(-1);
    structuredClone(rankings.data.buffer, { transfer: [rankings.data.buffer] });
    return scores;
  });
  for (let turn = 0; turn < 20; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const scores of await Promise.all(pending)) assert.deepStrictEqual(scores, expected);
});

test("the event loop turns while it computes", async () => {
  const drawn = draw(50_000);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  for (let call = 0; call < 20; call++) await scoreAsync(...drawn);
  clearInterval(timer);
  assert.ok(turns > 0);
});

test("more calls at once than koffi takes", async () => {
  const expected = score([[3, 0, 1]], [[2, 0]]);
  const all = await Promise.all(Array.from({ length: 2000 }, () => scoreAsync([[3, 0, 1]], [[2, 0]])));
  assert.equal(all.length, 2000);
  for (const scores of all) assert.deepStrictEqual(scores, expected);
});

test("what is refused rejects, at once or later, and the next call runs", async () => {
  await assert.rejects(scoreAsync([[3, -1]], [[0]]), { name: "HabitusError", code: "BAD_VALUE", row: 0, column: 1 });
  await assert.rejects(scoreAsync([[3, 1]], [[0]], { fill: "best" }), RangeError);
  await assert.rejects(scoreAsync("3"), TypeError);
  const wrong = await Promise.allSettled(Array.from({ length: 50 }, () => scoreAsync([[0]], [[0]])));
  assert.ok(wrong.every(({ reason }) => reason instanceof HabitusError));
  assert.deepStrictEqual(await scoreAsync([[3, 1]], [[0]]), score([[3, 1]], [[0]]));
});

test("several threads at once, each with its own copy of the package", async () => {
  const program = `
    import("habitus").then(({ score }) => {
      const counts = { data: Int32Array.from({ length: 5000 }, (_, place) => 1 + (place % 37)), columns: 50 };
      const rankings = Array.from({ length: 100 }, (_, task) => [task % 50, (task + 7) % 50]);
      let last;
      for (let call = 0; call < 200; call++) last = score(counts, rankings);
      require("node:worker_threads").parentPort.postMessage(last);
    });`;
  const filename = new URL(import.meta.url);
  const run = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(program, { eval: true, name: filename.pathname });
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  const [first, ...others] = await Promise.all([run(), run(), run(), run()]);
  for (const other of others) assert.deepStrictEqual(other, first);
});
