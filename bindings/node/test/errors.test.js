/** Bad inputs, each with what it is told. */

import assert from "node:assert/strict";
import test from "node:test";
import * as arrow from "apache-arrow";

import { HabitusError, binMeans, boundedSkill, curve, entropy, rollingMean, score, scoreValues, skill } from "habitus";

import { refused } from "./refusals.js";

const C = [[3, 0, 1]];
const R = [[0, 2]];
const flat = (...numbers) => Int32Array.of(...numbers);
const fixed = (rows, type = new arrow.Int32()) =>
  arrow.vectorFromArray(rows, new arrow.FixedSizeList(2, new arrow.Field("item", type, true)));
const uneven = () => arrow.vectorFromArray([[1, 2], [1]], new arrow.List(new arrow.Field("item", new arrow.Int32())));
const text = () => arrow.vectorFromArray([["a"]], new arrow.List(new arrow.Field("item", new arrow.Utf8())));
const detached = () => {
  const data = flat(3, 0, 1);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
};
class Liar extends Int32Array {
  get length() {
    return 1_000_000;
  }
}
const SCORES = score(C, R);

const NATIVE = [
  ["a negative count", () => score([[3, -1]], [[0]]), "BAD_VALUE", 0, 1, /counts >= 0, got -1 for task 0, candidate 1/],
  [
    "a row of zeros",
    () =>
      score(
        [
          [1, 1],
          [0, 0],
        ],
        [[0], [0]],
      ),
    "BAD_VALUE",
    1,
    null,
    /task 1 has none; leave it out/,
  ],
  ["no such candidate", () => score(C, [[0, 3]]), "BAD_INDEX", 0, 1, /candidates in \[0, 3\), row 0 holds 3/],
  ["a candidate twice", () => score(C, [[2, 2]]), "BAD_INDEX", 0, 1, /row 0 lists 2 twice/],
  ["a candidate below -1", () => score(C, [[-2, 0]]), "BAD_INDEX", 0, 0, /row 0 holds -2/],
  ["no such task", () => score(C, R, { task: [1] }), "BAD_INDEX", 0, null, /numbers in \[0, 1\), got 1 for ranking 0/],
  ["a negative task", () => score(C, R, { task: [-1] }), "BAD_INDEX", 0, null, /got -1 for ranking 0/],
  ["alpha 0", () => score(C, R, { alpha: 0 }), "BAD_ARGUMENT", null, null, /alpha: expected a finite pseudo-count > 0/],
  ["alpha infinite", () => score(C, R, { alpha: Infinity }), "BAD_ARGUMENT", null, null, /alpha/],
  ["alpha NaN", () => score(C, R, { alpha: NaN }), "BAD_ARGUMENT", null, null, /alpha: expected a number, got NaN/],
  [
    "more slots than candidates",
    () => score(C, [[0, 1, 2, -1]]),
    "BAD_SHAPE",
    null,
    null,
    /at most 3 candidates, got 4/,
  ],
  [
    "four billion holes as a list",
    () => score(C, [new Array(2 ** 32 - 1)]),
    "BAD_SHAPE",
    null,
    null,
    /got 4294967295 slots/,
  ],
  [
    "a billion slots",
    () => score(C, [[0]], { length: 2 ** 40 }),
    "BAD_SHAPE",
    null,
    null,
    /at most 3 candidates, got 1099/,
  ],
  [
    "more rankings than tasks",
    () => score(C, [[0], [1]]),
    "BAD_SHAPE",
    null,
    null,
    /one ranking per task \(1\), got 2/,
  ],
  ["a weight below 0", () => scoreValues([[1.5, -0.5]], [[0.5, 0.5]], [[0]]), "BAD_VALUE", 0, 1, /weights/],
  ["a value of 0", () => scoreValues([[0.5, 0.5]], [[1, 0]], [[0]]), "BAD_VALUE", 0, 1, /values: .*> 0/],
  ["a NaN", () => scoreValues([[0.5, NaN]], [[0.5, 0.5]], [[0]]), "BAD_VALUE", 0, 1, /weights: expected finite/],
  ["a sum of 0.9", () => scoreValues([[0.5, 0.4]], [[0.5, 0.5]], [[0]]), "BAD_VALUE", 0, null, /sum to 1/],
  [
    "skill of two rankings of one task",
    () => skill({ ...SCORES, crossEntropy: [1, 1] }),
    "BAD_SHAPE",
    null,
    null,
    /one/,
  ],
  ["minGap NaN", () => skill(SCORES, { minGap: NaN }), "BAD_ARGUMENT", null, null, /minGap/],
  ["dirichlet, alpha 0", () => entropy(C, { estimator: "dirichlet", alpha: 0 }), "BAD_ARGUMENT", null, null, /alpha/],
  ["plug-in, alpha -1", () => entropy(C, { alpha: -1 }), "BAD_ARGUMENT", null, null, />= 0, got -1/],
  [
    "an infinite point",
    () => binMeans([0, Infinity], [0, 1]),
    "BAD_VALUE",
    1,
    null,
    /x: expected finite numbers, got inf/,
  ],
  ["a support from 2 to 1", () => binMeans([0], [0], { support: [2, 1] }), "BAD_ARGUMENT", null, null, /support/],
  ["an infinite place", () => curve([1], [1], { grid: [-Infinity] }), "BAD_VALUE", 0, null, /grid: .*got -inf/],
];

for (const [name, wrong, code, row, column, message] of NATIVE)
  test(name, () => {
    assert.throws(wrong, (error) => {
      assert.ok(error instanceof HabitusError && error instanceof Error);
      assert.match(error.message, message);
      assert.deepEqual([error.name, error.code, error.row, error.column], ["HabitusError", code, row, column]);
      assert.match(error.stack, /HabitusError/);
      return true;
    });
  });

const RANGE = [
  [
    "fewer numbers than rows x columns",
    () => score({ data: flat(3, 0), rows: 1, columns: 3 }, R),
    /1 x 3 = 3 numbers, got 2/,
  ],
  ["more of them", () => score({ data: flat(3, 0, 1, 1), rows: 1, columns: 3 }, R), /1 x 3 = 3 numbers, got 4/],
  ["sizes whose product is past 2**53", () => score({ data: flat(1), rows: 2 ** 52, columns: 2 ** 52 }, R), /got 1/],
  ["no columns", () => score({ data: flat(), rows: 0, columns: 0 }, R), /at least one column/],
  ["no rows and no columns", () => score([], R), /counts: expected at least one column/],
  ["a row without numbers", () => score([[]], R), /at least one column/],
  ["half a row", () => score(flat(3, 0, 1, 1), R, { candidates: 3 }), /rows of 3, got 4 numbers/],
  ["a negative size", () => score({ data: flat(1), columns: -1 }, R), /counts.columns: .* got -1/],
  ["half a column", () => score({ data: flat(1), columns: 0.5 }, R), /counts.columns/],
  ["NaN rows", () => score({ data: flat(1), rows: NaN, columns: 1 }, R), /counts.rows: .* got NaN/],
  ["infinite rows", () => score({ data: flat(1), rows: Infinity, columns: 1 }, R), /counts.rows/],
  ["a billion candidates", () => score(C, R, { candidates: 2 ** 31 }), /counts: expected rows of 2147483648, got 3/],
  ["a huge option", () => score(flat(1), R, { candidates: 2 ** 53 }), /candidates/],
  [
    "columns that the option denies",
    () => score({ data: flat(3, 0, 1), columns: 3 }, R, { candidates: 2 }),
    /expected 2 columns, got 3/,
  ],
  ["a buffer that has gone", () => score({ data: detached(), rows: 1, columns: 3 }, R), /1 x 3 = 3 numbers, got 0/],
  ["an array that lies of its length", () => score({ data: new Liar(3), rows: 1000, columns: 1000 }, R), /got 3/],
  ["rows of unequal length", () => score([[1, 2], [1]], [[0], [0]]), /rows of 2, got 1 numbers in row 1/],
  ["a row longer than `length`", () => score(C, [[0, 1]], { length: 1 }), /rankings: expected rows of 1, got 2/],
  ["half a user", () => score([[3, 0.5]], [[0]]), /counts: expected an integer, got 0.5 in row 0, column 1/],
  ["a NaN among counts", () => score([[NaN, 1]], [[0]]), /got NaN in row 0, column 0/],
  ["a count past 2**53", () => score([[2 ** 53, 1]], [[0]]), /expected an integer/],
  ["a bigint past 2**63", () => score([[2n ** 63n, 1n]], [[0]]), /expected an integer, got 9223372036854775808n/],
  ["a uint64 past 2**63", () => score(BigUint64Array.of(2n ** 63n), R, { candidates: 1 }), /numbers below 2\*\*63/],
  ["too few tasks", () => score(C, R, { task: [] }), /task: expected 1 numbers, one task per ranking, got 0/],
  ["an unknown fill", () => score(C, R, { fill: "best" }), /one of chance, optimistic, worst, drop, got "best"/],
  [
    "an unknown estimator",
    () => entropy(C, { estimator: "plugin" }),
    /estimator: expected one of plug-in, miller-madow/,
  ],
  ["weights and values of two shapes", () => scoreValues([[1]], [[0.5, 0.5]], [[0]]), /1 x 1 and 1 x 2/],
  ["scores that do not fit", () => boundedSkill({ ...SCORES, worst: [1, 2] }), /one length, got 1, 1, 2/],
  ["x and y that do not fit", () => binMeans([1, 2], [1]), /as many x as y, got 2 and 1/],
  ["no bins", () => binMeans([1], [1], { bins: 0 }), /bins: expected a whole number from 1 to 16777216, got 0/],
  ["a billion bins", () => curve([1], [1], { bins: 1e9 }), /bins/],
  ["a window of 0", () => rollingMean([1], 0), /window/],
  ["degree 16", () => curve([1], [1], { degree: 16 }), /degree: expected a whole number from 1 to 15/],
  [
    "Arrow lists of unequal length",
    () => score(uneven(), [[0], [0]]),
    /counts: expected rows of 2, got 1 numbers in row 1/,
  ],
];

const TYPE = [
  ["nothing", () => score(), /counts: expected rows, a typed array/],
  ["null", () => score(null, R), /got null/],
  ["text", () => score("3,0,1", R), /got "3,0,1"/],
  ["a row of text", () => score(["301"], R), /expected rows of numbers, got "301" as row 0/],
  ["numbers without rows", () => score([3, 0, 1], R), /expected rows of numbers, got 3 as row 0/],
  ["text among counts", () => score([["3", 0]], [[0]]), /expected an integer, got "3" in row 0, column 0/],
  ["null among counts", () => score([[3, null]], [[0]]), /expected an integer, got null in row 0, column 1/],
  ["a hole among rows", () => score([[3, 1], , [1, 1]], [[0]]), /got undefined as row 1/],
  ["a typed array without a shape", () => score(flat(3, 0, 1), R), /counts: expected a matrix, got Int32Array alone/],
  ["float64 counts", () => score(Float64Array.of(3, 1), R, { candidates: 2 }), /expected integers, got Float64Array/],
  ["float64 rankings", () => score(C, { data: new Float64Array(2), columns: 2 }), /rankings: expected integers/],
  ["float64 counts of plug-in", () => entropy({ data: Float64Array.of(1.5), columns: 1 }), /expected integers/],
  [
    "bytes without a type",
    () => score({ data: new ArrayBuffer(8), columns: 2 }, R),
    /typed array as data, got an object/,
  ],
  ["a DataView", () => score(new DataView(new ArrayBuffer(8)), R, { candidates: 2 }), /got an object/],
  [
    "a size in text",
    () => score({ data: flat(1), columns: "1" }, R),
    /counts.columns: expected a whole number, got "1"/,
  ],
  ["options that are none", () => score(C, R, "chance"), /score: expected an object of options, got "chance"/],
  ["an unknown option", () => score(C, R, { fil: "worst" }), /expected options among .*, got fil/],
  ["alpha in text", () => score(C, R, { alpha: "1" }), /alpha: expected a number, got "1"/],
  ["fill as a number", () => score(C, R, { fill: 2 }), /fill: expected one of .*, got 2/],
  [
    "tasks of real numbers",
    () => score(C, R, { task: Float64Array.of(0) }),
    /task: expected integers, got Float64Array/,
  ],
  ["no scores", () => skill(), /skill: expected what score gave/],
  ["half of the scores", () => skill({ entropy: [1] }), /chance: expected numbers, got undefined/],
  ["text among points", () => rollingMean([1, "2"], 1), /values: expected numbers, got "2" at 1/],
  [
    "a million holes as points",
    () => rollingMean(new Array(2 ** 20), 1),
    /values: expected numbers, got undefined at 0/,
  ],
  ["a support of one end", () => binMeans([1], [1], { support: [0] }), /support: expected \[low, high\]/],
  [
    "a null Arrow row",
    () => score(fixed([[1, 2], null]), [[0], [0]]),
    /counts: expected lists, row 1 is null; leave it out/,
  ],
  [
    "a null Arrow count",
    () =>
      score(
        fixed([
          [1, 2],
          [1, null],
        ]),
        [[0], [0]],
      ),
    /got null in row 1, column 1/,
  ],
  [
    "a null Arrow task",
    () => score(C, R, { task: arrow.vectorFromArray([null], new arrow.Int32()) }),
    /task: .* null at 0/,
  ],
  [
    "Arrow numbers without rows",
    () => score(arrow.vectorFromArray([1, 2], new arrow.Int32()), R),
    /expected a column of lists, got Int32/,
  ],
  ["Arrow text", () => score(text(), R), /counts: expected numbers, got Utf8/],
  [
    "Arrow half-precision",
    () => entropy(fixed([[1, 2]], new arrow.Float16()), { estimator: "nsb" }),
    /expected numbers, got Float16/,
  ],
  [
    "Arrow real counts",
    () => score(fixed([[1, 2]], new arrow.Float64()), [[0]]),
    /counts: expected integers, got Float64Array/,
  ],
];

refused(RangeError, RANGE);
refused(TypeError, TYPE);

test("a getter that takes another argument's memory away is noticed", () => {
  const data = new Int32Array(30);
  const rankings = {
    get data() {
      structuredClone(data.buffer, { transfer: [data.buffer] });
      return new Int8Array(10);
    },
    columns: 1,
  };
  assert.throws(() => score({ data, rows: 10, columns: 3 }, rankings), { name: "RangeError", message: /got 0/ });
});
