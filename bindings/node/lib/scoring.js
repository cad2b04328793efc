/** Scores and skill (method, section 4). Sizes are checked here, numbers by libhabitus. */

import { call, callAsync } from "./library.js";
import { checked, integerVector, matrix, realVector } from "./matrix.js";
import { chosen, optionalNumber, optionalSize, optionsOf } from "./options.js";
import { copied, lengthOf } from "./typed.js";

const FILLS = ["chance", "optimistic", "worst", "drop"];
const OPTIONS = ["task", "fill", "candidates", "length"];
const EMPTY_SLOT = -1;

export function score(counts, rankings, options) {
  const request = scoreRequest("score", counts, rankings, options);
  call("score", [...request.inputs, ...Object.values(request.out)]);
  return request.out;
}

export async function scoreAsync(counts, rankings, options) {
  const { inputs, out } = scoreRequest("scoreAsync", counts, rankings, options);
  // The caller may write into its arrays, or give them away, before the call has ended.
  const kept = inputs.map((value) => (ArrayBuffer.isView(value) ? copied(value) : value));
  await callAsync("score", [...kept, ...Object.values(out)]);
  return out;
}

export function scoreValues(weights, values, rankings, options) {
  const { task, fill, candidates, length } = optionsOf("scoreValues", options, OPTIONS);
  const fillNumber = chosen("fill", FILLS, fill);
  const shape = { columns: optionalSize("candidates", candidates), real: "only" };
  const expected = matrix("weights", weights, shape);
  const predicted = matrix("values", values, shape);
  if (expected.rows !== predicted.rows || expected.columns !== predicted.columns)
    throw new RangeError(
      `expected weights and values of one shape, got ${shapeOf(expected)} and ${shapeOf(predicted)}`,
    );
  const lists = rankingsOf(rankings, length, predicted.columns);
  const of = tasksOf(task, lists.rows);
  checked("weights", expected);
  checked("values", predicted);
  checked("rankings", lists);
  const { rows, columns } = expected;
  const out = emptyScores(rows, lists.rows);
  const slots = [lists.data, lists.type, lists.rows, lists.columns];
  call("scoreValues", [expected.data, predicted.data, rows, columns, ...slots, of, fillNumber, ...Object.values(out)]);
  return out;
}

export function skill(scores, options) {
  return skillFrom("skill", scores, "chance", options);
}

export function boundedSkill(scores, options) {
  return skillFrom("boundedSkill", scores, "worst", options);
}

/** The inputs of habitus_score, and what it is to write. */
function scoreRequest(caller, counts, rankings, options) {
  const { task, alpha, fill, candidates, length } = optionsOf(caller, options, ["alpha", ...OPTIONS]);
  const [added, fillNumber] = [optionalNumber("alpha", alpha), chosen("fill", FILLS, fill)];
  const target = matrix("counts", counts, { columns: optionalSize("candidates", candidates) });
  const lists = rankingsOf(rankings, length, target.columns);
  const of = tasksOf(task, lists.rows);
  const inputs = [checked("counts", target), checked("rankings", lists)].flatMap((held) => [
    held.data,
    held.type,
    held.rows,
    held.columns,
  ]);
  return { inputs: [...inputs, of, added, fillNumber], out: emptyScores(target.rows, lists.rows) };
}

function rankingsOf(rankings, length, candidates) {
  return matrix("rankings", rankings, { columns: optionalSize("length", length), most: candidates, empty: EMPTY_SLOT });
}

/** The task of each ranking; null if ranking s is about task s. */
function tasksOf(task, rankings) {
  if (task === undefined) return null;
  const of = integerVector("task", task);
  if (lengthOf(of) === rankings) return of;
  throw new RangeError(`task: expected ${rankings} numbers, one task per ranking, got ${lengthOf(of)}`);
}

/** In the order in which libhabitus writes them. */
function emptyScores(tasks, rankings) {
  return {
    entropy: new Float64Array(tasks),
    chance: new Float64Array(tasks),
    worst: new Float64Array(tasks),
    crossEntropy: new Float64Array(rankings),
    valid: new Int32Array(rankings),
  };
}

function skillFrom(caller, scores, reference, options) {
  const { task, minGap } = optionsOf(caller, options, ["task", "minGap"]);
  if (scores === null || typeof scores !== "object") throw new TypeError(`${caller}: expected what score gave`);
  const gap = optionalNumber("minGap", minGap);
  const names = ["entropy", "chance", reference, "crossEntropy"];
  const columns = names.map((name) => realVector(name, scores[name]));
  const tasks = tasksOf(task, lengthOf(columns[3]));
  const [entropy, chance, other, rankings] = columns.map(lengthOf);
  if (entropy !== chance || entropy !== other || (tasks !== null && lengthOf(tasks) !== rankings))
    throw new RangeError(
      `expected entropy, chance and ${reference} of one length, got ${entropy}, ${chance}, ${other}`,
    );
  const [value, scored, excluded] = [new Float64Array(1), new BigInt64Array(1), new BigInt64Array(1)];
  call("skill", [...columns.slice(0, 3), entropy, columns[3], rankings, tasks, gap, value, scored, excluded]);
  return { value: value[0], scored: Number(scored[0]), excluded: Number(excluded[0]) };
}

function shapeOf({ rows, columns }) {
  return `${rows} x ${columns}`;
}
