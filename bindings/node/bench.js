/**
 * Time per ranking from JavaScript and from the Python engine on one thread, round about on the same bytes.
 *
 *   node bench.js [--json] [rankings]     PYTHON names the interpreter that has habitus (default python3)
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { info, score } from "habitus";

const CANDIDATES = 50;
const LENGTH = 10;
const ROUNDS = 9;
const TINY_CALLS = 2000;

// Answers "large" and "tiny" with the CPU nanoseconds of one call, "last" with the last cross-entropy.
const ENGINE = `
import sys, time
import numpy as np
import habitus
counts = np.fromfile(sys.argv[1] + "/counts", np.int32).reshape(-1, ${CANDIDATES})
rankings = np.fromfile(sys.argv[1] + "/rankings", np.int16).reshape(-1, ${LENGTH})
def timed(rows, times):
    start = time.process_time_ns()
    for _ in range(times):
        habitus.score(counts[:rows], rankings[:rows], threads=1)
    return (time.process_time_ns() - start) / times
answers = {
    "large": lambda: timed(len(counts), 1),
    "tiny": lambda: timed(1, ${TINY_CALLS}),
    "last": lambda: habitus.score(counts, rankings, threads=1).cross_entropy[-1],
}
for line in sys.stdin:
    print(float(answers[line.strip()]()), flush=True)
`;

function draw(rankings) {
  let state = 1;
  const below = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const counts = Int32Array.from({ length: rankings * CANDIDATES }, () => below(2) * below(60));
  const lists = new Int16Array(rankings * LENGTH);
  const items = Int16Array.from({ length: CANDIDATES }, (_, item) => item);
  for (let row = 0; row < rankings; row++) {
    counts[row * CANDIDATES] += 1;
    for (let slot = 0; slot < LENGTH; slot++) {
      const other = slot + below(CANDIDATES - slot);
      [items[slot], items[other]] = [items[other], items[slot]];
      lists[row * LENGTH + slot] = items[slot];
    }
  }
  return [counts, lists];
}

function timed(counts, rankings, times) {
  const start = process.cpuUsage();
  for (let call = 0; call < times; call++) score(counts, rankings);
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / times;
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

async function measure(rankings) {
  const folder = mkdtempSync(join(tmpdir(), "habitus-bench-"));
  const [counts, lists] = draw(rankings);
  writeFileSync(join(folder, "counts"), counts);
  writeFileSync(join(folder, "rankings"), lists);
  const engine = spawn(process.env.PYTHON ?? "python3", ["-c", ENGINE, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: engine.stdout })[Symbol.asyncIterator]();
  const ask = async (what) => {
    engine.stdin.write(`${what}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error("the engine ended; PYTHON names the interpreter that has habitus");
    return Number(value);
  };
  const all = [
    { data: counts, columns: CANDIDATES },
    { data: lists, columns: LENGTH },
  ];
  const one = all.map(({ data, columns }) => ({ data: data.subarray(0, columns), columns }));
  const rounds = { javascript: [], engine: [], ratio: [], javascriptTiny: [], engineTiny: [] };
  try {
    if ((await ask("last")) !== score(...all).crossEntropy.at(-1))
      throw new Error("JavaScript and the engine disagree");
    for (let round = -1; round < ROUNDS; round++) {
      const javascript = timed(...all, 1) / rankings;
      const python = (await ask("large")) / rankings;
      const tiny = timed(...one, TINY_CALLS);
      const pythonTiny = await ask("tiny");
      if (round < 0) continue; // the first compiles
      const row = {
        javascript,
        engine: python,
        ratio: javascript / python,
        javascriptTiny: tiny,
        engineTiny: pythonTiny,
      };
      for (const [name, number] of Object.entries(row)) rounds[name].push(number);
    }
  } finally {
    engine.stdin.end();
    rmSync(folder, { recursive: true });
  }
  return Object.fromEntries(Object.entries(rounds).map(([name, numbers]) => [name, median(numbers)]));
}

const rankings = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 1_000_000);
const found = await measure(rankings);
if (process.argv.includes("--json")) console.log(JSON.stringify({ rankings, ...info(), ...found }));
else {
  const { javascript, engine, ratio, javascriptTiny, engineTiny } = found;
  console.log(
    `${rankings} rankings, K = ${CANDIDATES}, N = ${LENGTH}, one thread, ${info().variant}, ${ROUNDS} rounds`,
  );
  console.log(
    `per ranking   JavaScript ${javascript.toFixed(1)} ns   engine ${engine.toFixed(1)} ns   ratio ${ratio.toFixed(3)}`,
  );
  console.log(
    `a call of 1   JavaScript ${(javascriptTiny / 1000).toFixed(1)} us   engine ${(engineTiny / 1000).toFixed(1)} us`,
  );
}
