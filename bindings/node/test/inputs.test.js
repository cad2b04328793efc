/** Every form of the same numbers gives the same bits, and what needs no copy is not copied. */

import assert from "node:assert/strict";
import test from "node:test";
import vm from "node:vm";
import * as arrow from "apache-arrow";

import { binMeans, entropy, rollingMean, score, scoreValues, skill } from "habitus";
import { integerVector, matrix, realVector } from "../lib/matrix.js";

const COUNTS = [
  [7, 0, 2, 1],
  [1, 1, 9, 4],
  [3, 3, 3, 3],
];
const RANKINGS = [
  [0, 2],
  [2, -1],
  [3, 1],
];
const TASK = [2, 0, 1];
const EXPECTED = score(COUNTS, RANKINGS, { task: TASK });
const SMALL = [Int8Array, Int16Array, Int32Array];
const UNSIGNED = [Uint8Array, Uint8ClampedArray, Uint16Array, Uint32Array];
const WIDE = [BigInt64Array, BigUint64Array];

const wide = (rows) => rows.flat().map(BigInt);
const list = (type, size) => new arrow.FixedSizeList(size, new arrow.Field("item", type, true));
const ragged = (type) => new arrow.List(new arrow.Field("item", type, true));

function same(found) {
  assert.deepStrictEqual(found, EXPECTED);
}

test("arrays of numbers, of bigints, of typed arrays, of null", () => {
  same(
    score(
      COUNTS.map((row) => row.map(BigInt)),
      RANKINGS,
      { task: TASK.map(BigInt) },
    ),
  );
  same(
    score(
      COUNTS.map((row) => Int8Array.from(row)),
      RANKINGS.map((row) => Int16Array.from(row)),
      { task: TASK },
    ),
  );
  same(
    score(
      COUNTS,
      [
        [0, 2],
        [2, null],
        [3, 1],
      ],
      { task: TASK },
    ),
  );
  same(
    score(
      COUNTS,
      [
        [0, 2],
        [2, undefined],
        [3, 1],
      ],
      { task: TASK },
    ),
  );
  same(score(COUNTS, [[0, 2], [2], [3, 1]], { task: TASK, length: 2 }));
  assert.deepStrictEqual(
    entropy([
      [2 ** 40, 1],
      [2n ** 62n, 1n],
    ]),
    entropy([
      [2n ** 40n, 1n],
      [2n ** 62n, 1n],
    ]),
  );
});

for (const Kind of [...SMALL, ...UNSIGNED])
  test(`${Kind.name}, alone and with its shape`, () => {
    const counts = Kind.from(COUNTS.flat());
    same(score(counts, RANKINGS, { task: Kind.from(TASK), candidates: 4 }));
    same(score({ data: counts, columns: 4 }, RANKINGS, { task: TASK }));
    same(score({ data: counts, rows: 3, columns: 4 }, RANKINGS, { task: TASK, candidates: 4 }));
  });

for (const Kind of WIDE)
  test(`${Kind.name}, alone and with its shape`, () => {
    const counts = Kind.from(wide(COUNTS));
    same(score(counts, RANKINGS, { task: Kind.from(wide([TASK])), candidates: 4 }));
    same(score({ data: counts, columns: 4 }, RANKINGS, { task: TASK }));
  });

test("numbers above 2**31 and above 2**53 are not bent", () => {
  const large = entropy([[2n ** 31n + 5n, 3n]]);
  assert.deepStrictEqual(entropy({ data: Uint32Array.of(2 ** 31 + 5, 3), columns: 2 }), large);
  assert.deepStrictEqual(entropy([[2 ** 31 + 5, 3]]), large);
  const most = { data: BigUint64Array.of(2n ** 63n - 1n, 1n), columns: 2 };
  assert.deepStrictEqual(entropy(most), entropy([[2n ** 63n - 1n, 1n]]));
});

test("rankings of every integer type", () => {
  for (const Kind of SMALL) same(score(COUNTS, { data: Kind.from(RANKINGS.flat()), columns: 2 }, { task: TASK }));
  same(score(COUNTS, BigInt64Array.from(wide(RANKINGS)), { task: TASK, length: 2 }));
});

test("a part of a buffer, shared memory, a buffer that may grow, Node's own, another context's", () => {
  const bytes = 4 * 12;
  const homes = [
    new Int32Array(new ArrayBuffer(bytes + 40), 16, 12),
    new Int32Array(new SharedArrayBuffer(bytes)),
    new Int32Array(new ArrayBuffer(bytes, { maxByteLength: 2 * bytes })),
    new Int32Array(new SharedArrayBuffer(bytes, { maxByteLength: 2 * bytes })),
    new Int32Array(20).subarray(4, 16),
    vm.runInNewContext("new Int32Array(12)"),
  ];
  for (const counts of homes) {
    counts.set(COUNTS.flat());
    same(score({ data: counts, columns: 4 }, RANKINGS, { task: TASK }));
  }
  same(score(Buffer.from(COUNTS.flat()), RANKINGS, { task: TASK, candidates: 4 }));
});

test("typed arrays are read where they are, shared memory never is", () => {
  for (const Kind of [...SMALL, BigInt64Array]) {
    const data = new Kind(8).subarray(2);
    assert.equal(matrix("counts", { data, columns: 3 }).data, data);
  }
  const points = new Float64Array(3);
  assert.equal(realVector("x", points), points);
  const tasks = new BigInt64Array(3);
  assert.equal(integerVector("task", tasks), tasks);
  const shared = new Int32Array(new SharedArrayBuffer(16));
  assert.notEqual(matrix("counts", { data: shared, columns: 4 }).data.buffer, shared.buffer);
});

test("Arrow columns: fixed and variable lists, slices, chunks, null as an empty slot", () => {
  for (const type of [new arrow.Int8(), new arrow.Int16(), new arrow.Int32(), new arrow.Uint8(), new arrow.Uint16()])
    for (const of of [list(type, 4), ragged(type)]) {
      const column = arrow.vectorFromArray([[9, 9, 9, 9], ...COUNTS], of).slice(1, 4);
      same(score(column, RANKINGS, { task: TASK }));
    }
  const wideColumn = arrow.vectorFromArray(
    COUNTS.map((row) => row.map(BigInt)),
    list(new arrow.Int64(), 4),
  );
  const nulls = arrow.vectorFromArray(
    [
      [0, 2],
      [2, null],
      [3, 1],
    ],
    list(new arrow.Int16(), 2),
  );
  same(score(wideColumn, nulls, { task: arrow.vectorFromArray(TASK, new arrow.Int32()) }));
  const bigNulls = arrow.vectorFromArray(
    [
      [0n, 2n],
      [2n, null],
      [3n, 1n],
    ],
    list(new arrow.Int64(), 2),
  );
  same(score(wideColumn, bigNulls, { task: TASK }));
  const short = arrow.vectorFromArray([[0, 2], [2], [3, 1]], ragged(new arrow.Int16()));
  same(score(wideColumn, short, { task: TASK, length: 2 }));
  const [first, rest] = [wideColumn.slice(0, 1), wideColumn.slice(1, 3)];
  const chunked = first.concat(rest);
  assert.equal(chunked.data.length, 2);
  same(score(chunked, nulls.slice(0, 2).concat(nulls.slice(2, 3)), { task: TASK }));
});

test("Arrow tables, of one column and through IPC; one-column tables are matrices", () => {
  const int = new arrow.Int32();
  const columns = {
    counts: arrow.vectorFromArray(COUNTS, list(int, 4)),
    rankings: arrow.vectorFromArray(RANKINGS, list(int, 2)),
  };
  const table = arrow.tableFromIPC(arrow.tableToIPC(new arrow.Table(columns), "stream"));
  same(score(table.getChild("counts"), table.getChild("rankings"), { task: TASK }));
  same(score(table.select(["counts"]), table.select(["rankings"]), { task: TASK }));
  assert.throws(() => score(table, RANKINGS), {
    name: "TypeError",
    message: /counts: expected a column, got a table of 2/,
  });
});

test("Arrow lists are read where they are", () => {
  for (const of of [list(new arrow.Int32(), 4), ragged(new arrow.Int32())]) {
    const column = arrow.vectorFromArray([[9, 9, 9, 9], ...COUNTS], of).slice(1, 4);
    const child = column.data[0].children[0].values;
    const { data, rows, columns } = matrix("counts", column);
    assert.equal(data.buffer, child.buffer);
    assert.deepEqual([rows, columns, [...data]], [3, 4, COUNTS.flat()]);
  }
});

test("scores as Arrow: what score gives goes into a table without a copy", () => {
  const table = arrow.tableFromArrays({ crossEntropy: EXPECTED.crossEntropy, valid: EXPECTED.valid });
  assert.deepEqual([...table.getChild("crossEntropy")], [...EXPECTED.crossEntropy]);
  const columns = ["entropy", "chance", "crossEntropy"].map((name) => [name, arrow.makeVector(EXPECTED[name])]);
  assert.deepEqual(skill(Object.fromEntries(columns)), skill(EXPECTED));
});

test("vectors: numbers, typed arrays, Arrow, null as a missing point", () => {
  const x = [0, 1, 4, 2];
  const y = [1, 3, 5, null];
  const expected = binMeans(Float64Array.of(0, 1, 4, 2), Float64Array.of(1, 3, 5, NaN), { bins: 2 });
  assert.deepStrictEqual([...expected.mean], [2, 5]);
  const column = arrow.vectorFromArray(y, new arrow.Float64());
  for (const [across, up] of [
    [x, y],
    [Float32Array.from(x), column],
    [Uint8Array.from(x), column.slice(0, 4)],
  ])
    assert.deepStrictEqual(binMeans(across, up, { bins: 2 }), expected);
  assert.deepStrictEqual([...rollingMean(BigInt64Array.of(1n, 2n, 6n), 2)], [1.5, 4]);
  assert.deepStrictEqual([...rollingMean(BigUint64Array.of(1n), 2)], []);
});

test("real-valued rows from integers, float32 and Arrow", () => {
  const half = [
    [0.5, 0.5, 0],
    [0.25, 0.25, 0.5],
  ];
  const third = [
    [0.25, 0.25, 0.5],
    [0.5, 0.25, 0.25],
  ];
  const expected = scoreValues(half, third, [[1], [2]]);
  const column = arrow.vectorFromArray(half, list(new arrow.Float64(), 3));
  const single = { data: Float32Array.from(third.flat()), columns: 3 };
  assert.deepStrictEqual(scoreValues(column, single, [[1], [2]]), expected);
  assert.deepStrictEqual(scoreValues([[1, 0]], [[0.5, 0.5]], [[1]]), scoreValues([[1n, 0n]], [[0.5, 0.5]], [[1]]));
  const counts = { data: Float32Array.of(1.5, 0.5), columns: 2 };
  assert.deepStrictEqual(entropy(counts, { estimator: "nsb" }), entropy([[1.5, 0.5]], { estimator: "nsb" }));
});

test("no rows at all", () => {
  const found = score({ data: new Int32Array(0), columns: 4 }, { data: new Int8Array(0), columns: 2 });
  assert.deepEqual(
    Object.values(found).map((column) => column.length),
    [0, 0, 0, 0, 0],
  );
  assert.equal(entropy([], { candidates: 3 }).length, 0);
  assert.ok(Number.isNaN(skill(found).value));
});

test("nothing of the caller's is changed", () => {
  const counts = Int32Array.from(COUNTS.flat());
  const rankings = Int16Array.from(RANKINGS.flat());
  const before = [counts.slice(), rankings.slice()];
  const options = Object.freeze({ task: Object.freeze([...TASK]), candidates: 4, length: 2 });
  same(score(counts, rankings, options));
  assert.deepStrictEqual([counts, rankings], before);
});
