/** Malformed calls: each is refused with an error of its kind, or gives scores that may be. Nothing crashes. */

import assert from "node:assert/strict";
import test from "node:test";
import * as arrow from "apache-arrow";

import { HabitusError, boundedSkill, binMeans, curve, drawHistories, drawSeeds, drawTasks, entropy } from "habitus";
import { rollingMean, score, scoreValues, skill } from "habitus";
import { random } from "./random.js";

const CALLS = Number(process.env.HABITUS_FUZZ_CALLS ?? 24_000);
const SEED = Number(process.env.HABITUS_FUZZ_SEED ?? 1);
const source = random(SEED);
const { below, pick, shuffled, uniform } = source;

const NUMBERS = [
  ...[0, -0, 1, -1, -2, 2, 3, 4, 0.5, 1.5, NaN, Infinity, -Infinity, 1e-300, 1e308, 127, 128, 32767, 32768, 65536],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 62, -(2 ** 63)],
];
const OTHERS = [
  ...[undefined, null, true, "", "3", "chance", 3n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, Symbol("x")],
  ...[
    () => 3,
    {},
    [],
    [[]],
    [[], []],
    new Date(0),
    /x/,
    new Map(),
    new ArrayBuffer(16),
    new DataView(new ArrayBuffer(16)),
  ],
];
const KINDS = [
  ...[Int8Array, Int16Array, Int32Array, Uint8Array, Uint8ClampedArray, Uint16Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
];
const TYPES = [new arrow.Int8(), new arrow.Int16(), new arrow.Int32(), new arrow.Uint8(), new arrow.Float64()];
const FUNCTIONS = [
  ...[score, scoreValues, skill, boundedSkill, entropy, binMeans, rollingMean, curve],
  ...[drawSeeds, drawHistories, drawTasks],
];

class Liar extends Int32Array {
  get length() {
    return pick(NUMBERS);
  }
  get [Symbol.toStringTag]() {
    return "BigInt64Array";
  }
}

const anything = () => (uniform() < 0.6 ? pick(NUMBERS) : pick(OTHERS));
const smallInteger = () => (uniform() < 0.97 ? below(5) : pick(NUMBERS.filter(Number.isInteger)));
const rows = (size, columns, item) => Array.from({ length: size }, () => Array.from({ length: columns }, item));

function typed(size) {
  const Kind = pick(KINDS);
  const isBig = Kind === BigInt64Array || Kind === BigUint64Array;
  const room = size * Kind.BYTES_PER_ELEMENT;
  const homes = [
    () => new Kind(size),
    () => new Kind(new ArrayBuffer(room + 64), 16, size),
    () => new Kind(new SharedArrayBuffer(room)),
    () => new Kind(new ArrayBuffer(room, { maxByteLength: room + 64 })),
  ];
  const array = pick(homes)();
  for (let place = 0; place < size; place++) array[place] = isBig ? BigInt(smallInteger()) : smallInteger();
  return uniform() < 0.05 ? taken(array) : array;
}

function taken(array) {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  if (array.buffer.resizable && uniform() < 0.5) array.buffer.resize(0);
  else structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function matrixLike() {
  const [size, columns] = [below(6), below(6)];
  const data = uniform() < 0.1 ? new Liar(size * columns) : typed(size * columns);
  const wrong = () => (uniform() < 0.15 ? anything() : undefined);
  const late = {
    get data() {
      return taken(typed(size * columns));
    },
    columns,
  };
  const short = { data, rows: wrong() ?? size + below(2), columns: wrong() ?? columns };
  return pick([data, { data, columns }, { data, rows: size, columns }, short, late]);
}

function arrowLike() {
  const [size, columns] = [1 + below(4), 1 + below(4)];
  const child = new arrow.Field("item", pick(TYPES), true);
  const lists = rows(size, columns, () => (uniform() < 0.05 ? null : below(5)));
  if (uniform() < 0.2) lists[below(size)] = uniform() < 0.5 ? null : [1];
  const uneven = lists.some((list) => list?.length !== columns);
  const type = uneven || uniform() < 0.5 ? new arrow.List(child) : new arrow.FixedSizeList(columns, child);
  const vector = arrow.vectorFromArray(lists, type);
  const forged = { type: { typeId: pick([12, 16, 21, 2, 3]), listSize: pick(NUMBERS) }, data: [forgedChunk()] };
  return pick([
    vector,
    vector.slice(below(size)),
    new arrow.Table({ vector }),
    forged,
    { ...vector },
    vector.concat(vector),
  ]);
}

function forgedChunk() {
  const type = { typeId: pick([2, 3, 12, 16]), listSize: pick(NUMBERS) };
  const child = { type, values: typed(below(9)), nullCount: pick([0, 1]), getValid: () => uniform() < 0.9 };
  const valueOffsets = pick([typed(below(6)), undefined, Int32Array.of(0, 2 ** 30, -5)]);
  const length = pick([0, 1, 2, 3, -1, NaN, 1000]);
  return { ...child, length, valueOffsets, children: pick([[child], [], [null], undefined]) };
}

function argument() {
  const proxy = () =>
    new Proxy(rows(2, 3, below.bind(null, 4)), { get: (held, name) => (uniform() < 0.1 ? anything() : held[name]) });
  return pick([
    anything,
    matrixLike,
    matrixLike,
    arrowLike,
    () => typed(below(8)),
    () => rows(below(4), below(5), smallInteger),
    () => rows(below(4), below(5), anything),
    () => rows(2, 4, uniform).map((row) => row.map((item) => item / row.reduce((a, b) => a + b))),
    () => Array.from({ length: 3 }, () => shuffled(4).slice(0, 2)),
    proxy,
  ])();
}

function options() {
  if (uniform() < 0.4) return undefined;
  const given = {};
  const choices = {
    task: () => pick([typed(below(4)), [0, 1, 0], anything(), arrow.vectorFromArray([0, 1], new arrow.Int32())]),
    alpha: anything,
    fill: () => pick(["chance", "optimistic", "worst", "drop", anything()]),
    candidates: () => pick([3, 4, anything()]),
    length: () => pick([1, 2, anything()]),
    estimator: () => pick(["plug-in", "nsb", "dirichlet", "james-stein", "chao-shen", anything()]),
    minGap: anything,
    support: () => pick([[0, 4], [anything(), anything()], anything()]),
    // Whole numbers of bins above a thousand are allowed up to 2**24, and cost their memory.
    bins: () => pick([1, 5, 1000, -1, 0, 2 ** 24 + 1, NaN, "5"]),
    window: () => pick([1, 3, anything()]),
    degree: () => pick([1, 4, 15, anything()]),
    grid: () => pick([typed(3), [0, 1.5], anything()]),
  };
  for (const name of Object.keys(choices)) if (uniform() < 0.12) given[name] = choices[name]();
  return uniform() < 0.05 ? anything() : given;
}

function scoresLike() {
  const column = () => pick([typed(3), [1, 2, 3], Float64Array.of(1, 2, NaN), anything()]);
  return { entropy: column(), chance: column(), worst: column(), crossEntropy: column() };
}

const seedsLike = (size) => (uniform() < 0.9 ? drawSeeds(below(9), size) : argument());
const numbersLike = (size) => (uniform() < 0.9 ? Int32Array.from({ length: size }, smallInteger) : argument());
const without = (given) =>
  uniform() < 0.9 ? given : pick([anything(), { ...given, [pick(["x", "users"])]: anything() }]);

/** Arguments of drawTasks, of one size for the most part. */
function drawing() {
  const [pairs, users, draws, length] = [below(12), 5, below(5), below(4)];
  const distinct = [...new Set(Array.from({ length: pairs }, () => below(users * 5)))];
  const [who, what] = [distinct.map((pair) => Math.floor(pair / 5)), distinct.map((pair) => pair % 5)];
  const some = (forms) => (uniform() < 0.95 ? pick(forms) : argument());
  const log = { users: some([who, Int8Array.from(who)]), items: some([what, Int16Array.from(what)]) };
  if (uniform() < 0.3) log.itemCount = pick([5, 6, below(9), -1, 2 ** 27, NaN, "5"]);
  const histories = () => rows(draws, length, smallInteger);
  const proxies = { cellOfUser: numbersLike(users), cells: numbersLike(draws) };
  if (uniform() < 0.7) proxies.histories = uniform() < 0.9 ? histories() : argument();
  if (uniform() < 0.4) proxies.needed = pick([0, 1, length, below(9), anything()]);
  const options = { candidates: pick([1, 2, 3, 4, below(9), anything()]) };
  if (uniform() < 0.2) options.inventory = pick([shuffled(5), [0, 1], [3, 3], argument()]);
  if (uniform() < 0.2) options.minUsers = pick([0, 2, anything()]);
  if (uniform() < 0.5) options.rule = pick(["half", "quintiles", "literal", "inventory", "all"]);
  return [without(log), without(proxies), seedsLike(draws), without(options)];
}

function argumentsOf(call) {
  if (call === drawSeeds) return [anything(), anything(), pick([undefined, { first: anything() }, anything()])];
  if (call === drawHistories)
    return [seedsLike(below(5)), pick([shuffled(6), typed(5), argument()]), pick([2, anything()])];
  if (call === drawTasks) return drawing();
  const first = call === skill || call === boundedSkill ? scoresLike() : argument();
  const rest = Array.from({ length: Math.max(0, call.length - 2) }, argument);
  return [first, ...rest, call === rollingMean ? anything() : options()];
}

/** Tasks that may be: no more users of a candidate than of the group, and all or none of a row. */
function checkTasks({ groupSize, candidates, counts }, number) {
  counts.data.forEach((count, place) => {
    const draw = Math.floor(place / counts.columns);
    const isNone = candidates.data[draw * counts.columns] < 0;
    assert.ok(count >= 0 && count <= groupSize[draw], `call ${number}: draw ${draw}`);
    assert.ok(isNone ? candidates.data[place] === -1 && count === 0 : candidates.data[place] >= 0);
  });
}

/** What came of a call: "ok" with scores that may be, or the name of the error that refused it. */
function outcomeOf(call, values, kinds, number) {
  let found;
  try {
    found = call(...values);
  } catch (error) {
    assert.ok(kinds.includes(error.constructor) && error.message, `call ${number} of ${call.name}: ${error.stack}`);
    return error.constructor.name;
  }
  if (call === score)
    found.entropy.forEach((each, task) => {
      const [chance, worst] = [found.chance[task], found.worst[task]];
      assert.ok(each >= -1e-12 && chance >= each - 1e-9 && worst >= chance - 1e-9, `call ${number}: task ${task}`);
    });
  if (call === drawTasks) checkTasks(found, number);
  return "ok";
}

test(`${CALLS} malformed calls, seed ${SEED}`, () => {
  const seen = { ok: 0, TypeError: 0, RangeError: 0, HabitusError: 0 };
  for (let number = 0; number < CALLS; number++) {
    const call = pick(FUNCTIONS);
    seen[outcomeOf(call, argumentsOf(call), [TypeError, RangeError, HabitusError], number)]++;
  }
  for (const [kind, times] of Object.entries(seen)) assert.ok(times > CALLS / 100, `${kind}: ${times}`);
});

test(`${CALLS / 4} calls of drawTasks`, () => {
  const seen = { ok: 0, TypeError: 0, RangeError: 0, HabitusError: 0 };
  for (let number = 0; number < CALLS / 4; number++)
    seen[outcomeOf(drawTasks, drawing(), [TypeError, RangeError, HabitusError], number)]++;
  for (const [kind, times] of Object.entries(seen)) assert.ok(times > CALLS / 200, `${kind}: ${times}`);
});

test(`${CALLS / 4} calls of the right form with wrong numbers`, () => {
  const seen = { ok: 0, HabitusError: 0 };
  for (let number = 0; number < CALLS / 4; number++) {
    const [tasks, candidates, lists] = [below(5), 1 + below(70), below(5)];
    const length = 1 + below(candidates);
    const count = () => (uniform() < 0.002 ? -1 - below(9) : below(30));
    const counts = { data: Int32Array.from({ length: tasks * candidates }, count), columns: candidates };
    const slot = (slots) => (uniform() < 0.005 ? pick([-2, -32768, candidates, 32767]) : slots);
    const items = Array.from({ length: lists }, () => shuffled(candidates).slice(0, length).map(slot)).flat();
    const rankings = { data: Int16Array.from(items), columns: length };
    const task = Int32Array.from({ length: lists }, () => (uniform() < 0.02 ? pick([-1, tasks]) : below(tasks)));
    const fill = pick(["chance", "optimistic", "worst", "drop"]);
    seen[outcomeOf(score, [counts, rankings, { task, fill }], [HabitusError], number)]++;
  }
  for (const [kind, times] of Object.entries(seen)) assert.ok(times > CALLS / 50, `${kind}: ${times}`);
});
