// Answers benchmarks.tongues line by line, in JavaScript: see programs.py for the questions.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { entropy, score } from "habitus";

const K = 50;
const N = 10;
let table;

const numbers = { nan: undefined, inf: Infinity, "-inf": -Infinity };

function scoreLine([fill, alpha, candidates, length, ...rest]) {
  const values = rest.map(Number);
  const counts = [values.slice(0, Number(candidates))];
  const ranking = values.slice(Number(candidates), Number(candidates) + Number(length));
  const options = { fill, alpha: alpha in numbers ? numbers[alpha] : Number(alpha) };
  const { entropy, chance, worst, crossEntropy, valid } = score(counts, [ranking], options);
  return `ok ${[entropy[0], chance[0], worst[0], crossEntropy[0], valid[0]].join(" ")}`;
}

function typed(folder, name, Kind) {
  const bytes = readFileSync(join(folder, name));
  return new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

const bad = [
  () => score("a", [[0]]),
  () => score([[1, null]], [[0]]),
  () => score([[1.5, 2]], [[0]]),
  () => score({ data: new Int32Array(3), rows: 2, columns: 2 }, [[0], [0]]),
  () => score(new Int32Array(4), [[0]], { candidates: 0 }),
  () => score([[1, 2], [1]], [[0], [0]]),
  () => entropy([[1, 2]], { estimator: "nonsense" }),
];

const answers = {
  score: scoreLine,
  load([folder]) {
    table = [
      { data: typed(folder, "counts", Int32Array), columns: K },
      { data: typed(folder, "rankings", Int16Array), columns: N },
    ];
    return "ok";
  },
  bad([number]) {
    if (!(number in bad)) return "end";
    bad[number]();
    return "ok";
  },
  run() {
    const start = process.cpuUsage();
    const { crossEntropy } = score(...table);
    const { user, system } = process.cpuUsage(start);
    return `ok ${((user + system) * 1000) / crossEntropy.length} ${crossEntropy.at(-1)}`;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [question, ...rest] = line.trim().split(" ");
  let said;
  try {
    said = answers[question](rest);
  } catch (error) {
    said = `error ${error.message.replaceAll("\n", " / ")}`;
  }
  process.stdout.write(`${said}\n`);
}
