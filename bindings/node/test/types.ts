import { tableFromArrays, vectorFromArray, FixedSizeList, Field, Int32 } from "apache-arrow";
import { HabitusError, curve, drawHistories, drawSeeds, drawTasks, entropy } from "habitus";
import { info, score, scoreAsync, skill } from "habitus";
import type { Counts, DrawnTasks, Fill, Rankings, Rule, Scores } from "habitus";

const counts: Counts = { data: Int32Array.of(3, 0, 1), columns: 3 };
const rankings: Rankings = [[0, null, 2n]];
const fill: Fill = "worst";

const scores: Scores = score(counts, rankings, { alpha: 0.5, fill, task: [0] });
const bits: number[] = Array.from(scores.crossEntropy, (nats) => nats / Math.LN2);
const value: number = skill(scores).value;
const later: Promise<Scores> = scoreAsync(new Int16Array(6), new Int8Array(2), { candidates: 3, length: 1 });
const lists = vectorFromArray([[3, 0, 1]], new FixedSizeList(3, new Field("item", new Int32())));
const entropies: Float64Array = entropy(lists, { estimator: "nsb" });
const table = tableFromArrays({ x: scores.entropy });
const outcome: "value" | "none" | "censored" | "undefined" = curve(table, [1, null], { support: [0, 5] }).outcome;

const seeds: BigUint64Array = drawSeeds(7n, 3, { first: 2 });
const proxies = { cellOfUser: [0, null, -1], cells: Int8Array.of(0, 0, 0), histories: drawHistories(seeds, [1, 2], 1) };
const rule: Rule = "quintiles";
const tasks: DrawnTasks = drawTasks({ users: [0], items: [4n], itemCount: 9 }, proxies, seeds, { rule, minUsers: 3 });
const of: Scores = score(tasks.counts, tasks.candidates);

try {
  info();
} catch (error) {
  if (error instanceof HabitusError && error.code === "NO_LIBRARY") console.log(error.row, error.message);
}

// @ts-expect-error: not a fill
score(counts, rankings, { fill: "best" });
// @ts-expect-error: not an option
score(counts, rankings, { fil: "worst" });
// @ts-expect-error: seeds have 64 bits
drawTasks({ users: [0], items: [4] }, proxies, Int32Array.of(1));
// @ts-expect-error: text is no ranking
score(counts, [["a"]]);
// @ts-expect-error: counts are integers
score(new Float64Array(3), rankings, { candidates: 3 });

export { bits, entropies, later, of, outcome, value };
