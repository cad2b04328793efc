/** Bad logs and draws, each with what it is told. */

import assert from "node:assert/strict";
import test from "node:test";
import * as arrow from "apache-arrow";

import { HabitusError, drawHistories, drawSeeds, drawTasks } from "habitus";

import { refused } from "./refusals.js";

const LOG = { users: [0, 0, 1], items: [0, 2, 2], itemCount: 4 };
const PROXIES = { cellOfUser: [0, 0], cells: [0] };
const SEEDS = drawSeeds(0, 1);
const drawn = (log, proxies, options) =>
  drawTasks({ ...LOG, ...log }, { ...PROXIES, ...proxies }, SEEDS, { candidates: 2, ...options });
const taken = (array) => {
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};

const NATIVE = [
  ["a pair twice", () => drawn({ users: [0, 1, 1], items: [0, 2, 2] }), "BAD_VALUE", 1, 2, /got user 1, item 2 twice/],
  ["no such user", () => drawn({ users: [0, 2, 1] }), "BAD_INDEX", 1, null, /users: .* in \[0, 2\), got 2 at 1/],
  ["a negative user", () => drawn({ users: [0, 0, -1] }), "BAD_INDEX", 2, null, /users: .* got -1 at 2/],
  ["no such item", () => drawn({ items: [0, 4, 2] }), "BAD_INDEX", 1, null, /items: .* in \[0, 4\), got 4 at 1/],
  ["an unknown history", () => drawn({}, { histories: [[4]] }), "BAD_INDEX", 0, null, /history: .* got 4 at 0/],
  ["an unknown offer", () => drawn({}, {}, { inventory: [4] }), "BAD_INDEX", 0, null, /inventory: .* got 4 at 0/],
  [
    "an offer twice",
    () => drawn({}, {}, { inventory: [1, 1] }),
    "BAD_VALUE",
    null,
    null,
    /distinct items, got 1 twice/,
  ],
  ["too much needed", () => drawn({}, { histories: [[0]], needed: 2 }), "BAD_ARGUMENT", null, null, /1 items .* got 2/],
  ["nothing needed", () => drawn({}, { histories: [[0]], needed: 0 }), "BAD_ARGUMENT", null, null, /1 items .* got 0/],
  ["some of no history", () => drawn({}, { needed: 1 }), "BAD_ARGUMENT", null, null, /0 items .* got 1/],
  ["a long history", () => drawHistories(SEEDS, [1, 2], 3), "BAD_SHAPE", null, null, /at most 2 items .* got 3/],
  ["a repeated item", () => drawHistories(SEEDS, [3, 3], 2), "BAD_VALUE", null, null, /distinct items, got 3 twice/],
];

for (const [name, wrong, code, row, column, message] of NATIVE)
  test(name, () => {
    assert.throws(wrong, (error) => {
      assert.ok(error instanceof HabitusError);
      assert.match(error.message, message);
      assert.deepEqual([error.code, error.row, error.column], [code, row, column]);
      return true;
    });
  });

const RANGE = [
  ["half a pair", () => drawn({ users: [0, 0] }), /as many users as items, got 2 and 3/],
  ["too few cells", () => drawn({}, { cells: [] }), /as many seeds as cells, got 1 and 0/],
  ["too many histories", () => drawn({}, { histories: [[0], [1]] }), /histories: expected 1 rows, .* got 2/],
  ["histories of 256", () => drawn({}, { histories: [new Int8Array(256)] }), /at most 255 items, got 256/],
  ["histories of none", () => drawn({}, { histories: [[]] }), /histories: expected at least one column/],
  [
    "an item past 2**26",
    () => drawn({ items: [0, 1, 2 ** 26], itemCount: null }),
    /numbers below 67108864, got 67108864/,
  ],
  ["an itemCount past it", () => drawn({ itemCount: 2 ** 27 }), /itemCount: .* to 67108864, got 134217728/],
  ["an item past 2**31", () => drawn({ items: [0, 1, 2 ** 31] }), /items: .* below 2\*\*31, got 2147483648 at 2/],
  ["such a bigint", () => drawn({ items: BigInt64Array.of(0n, 1n, 2n ** 40n) }), /items: .* got 1099511627776 at 2/],
  ["half an item", () => drawn({ items: [0, 1.5, 2] }), /items: expected an integer, got 1.5 at 1/],
  ["no candidates", () => drawn({}, {}, { candidates: 0 }), /candidates: .* from 1 to 32767, got 0/],
  ["32768 candidates", () => drawn({}, {}, { candidates: 32768 }), /candidates: .* got 32768/],
  ["an unknown rule", () => drawn({}, {}, { rule: "all" }), /rule: expected one of half, quintiles, .*, got "all"/],
  ["minus one user", () => drawn({}, {}, { minUsers: -1 }), /minUsers: .* got -1/],
  ["half of it needed", () => drawn({}, { histories: [[0]], needed: 0.5 }), /needed: .* got 0.5/],
  ["a negative seed", () => drawSeeds(-1, 1), /base: expected a whole number from 0 to 2\*\*64 - 1, got -1/],
  ["a seed past 2**53", () => drawSeeds(2 ** 53, 1), /base: .* got 9007199254740992/],
  ["a seed of 2**64", () => drawSeeds(2n ** 64n, 1), /base: .* got 18446744073709551616n/],
  ["half a draw", () => drawSeeds(0, 0.5), /draws: .* got 0.5/],
  ["a billion draws", () => drawSeeds(0, 1e9), /draws: expected a whole number from 0 to 16777216/],
  ["minus one draw", () => drawHistories(SEEDS, [1], -1), /length: .* got -1/],
];

const TYPE = [
  ["nothing", () => drawTasks(), /users: expected integers, got undefined/],
  ["no proxies", () => drawTasks(LOG), /cellOfUser: expected integers, got undefined/],
  ["no seeds", () => drawTasks(LOG, PROXIES), /seeds: expected a BigUint64Array, .* got undefined/],
  ["seeds of 32 bits", () => drawTasks(LOG, PROXIES, Uint32Array.of(1)), /got Uint32Array/],
  ["a log that is text", () => drawTasks("log", PROXIES, SEEDS), /log: expected an object of options, got "log"/],
  [
    "an unknown part",
    () => drawn({ time: [1, 2, 3] }),
    /log: expected options among users, items, itemCount, got time/,
  ],
  ["real users", () => drawn({ users: Float64Array.of(0, 0, 1) }), /users: expected integers, got Float64Array/],
  ["a user null", () => drawn({ users: [0, null, 1] }), /users: expected an integer, got null at 1/],
  ["a cell undefined", () => drawn({}, { cellOfUser: [0, undefined] }), /cellOfUser: .* got undefined at 1/],
  ["an Arrow null", () => drawn({ users: arrow.vectorFromArray([0, null, 1], new arrow.Int32()) }), /null at 1/],
  ["a seed in text", () => drawSeeds("7", 1), /base: expected a whole number, got "7"/],
  ["a first in text", () => drawSeeds(7, 1, { first: "1" }), /first: expected a whole number, got "1"/],
  ["an unknown option", () => drawSeeds(7, 1, { last: 3 }), /expected options among first, got last/],
];

refused(RangeError, RANGE);
refused(TypeError, TYPE);

test("what a getter takes away meanwhile is noticed", () => {
  const [users, items] = [Int32Array.of(0, 0, 1), Int32Array.of(0, 2, 2)];
  const late = (array) => ({
    get cells() {
      taken(array);
      return [0];
    },
    cellOfUser: [0, 0],
  });
  assert.throws(() => drawTasks({ users, items }, late(users), SEEDS), /as many users as items, got 0 and 3/);
  const seeds = drawSeeds(0, 1);
  const options = {
    get rule() {
      taken(seeds);
      return "half";
    },
  };
  assert.throws(() => drawTasks(LOG, PROXIES, seeds, options), /as many seeds as cells, got 0 and 1/);
});
