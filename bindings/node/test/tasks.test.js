/** Seeds, histories and tasks: against a log that is looked through pair by pair, and the laws of drawing. */

import assert from "node:assert/strict";
import test from "node:test";
import * as arrow from "apache-arrow";

import { drawHistories, drawSeeds, drawTasks, score, skill } from "habitus";
import { random } from "./random.js";

const RULES = ["half", "quintiles", "literal", "inventory"];
const [USERS, ITEMS, DRAWS] = [60, 80, 40];
const SEEDS = drawSeeds(3, DRAWS);
const upTo = (size) => Array.from({ length: size }, (_, place) => place);
const rowsOf = ({ data, rows, columns }) =>
  upTo(rows).map((row) => [...data.subarray(row * columns, (row + 1) * columns)]);

function randomLog({ uniform, below }) {
  const pairs = upTo(USERS * ITEMS).filter(() => uniform() < 0.2);
  const log = { users: pairs.map((pair) => Math.floor(pair / ITEMS)), items: pairs.map((pair) => pair % ITEMS) };
  const cells = SEEDS.reduce((all) => [...all, below(3)], []);
  return { log: { ...log, itemCount: ITEMS }, cellOfUser: upTo(USERS).map(() => below(4) - 1), cells };
}

/** {users, counts} of a group and its candidates. */
function twin({ log, cellOfUser, cell, history, needed, candidates }) {
  const chosen = cellOfUser.map(() => new Set());
  log.users.forEach((user, pair) => chosen[user].add(log.items[pair]));
  const knows = (user) => history.filter((item) => chosen[user].has(item)).length >= needed;
  const users = upTo(cellOfUser.length).filter((user) => cellOfUser[user] === cell && knows(user));
  return { users, counts: candidates.map((item) => users.filter((user) => chosen[user].has(item)).length) };
}

test("groups and counts are those of the log, for every rule", () => {
  const { log, cellOfUser, cells } = randomLog(random(5));
  for (const length of [0, 1, 4])
    for (const rule of RULES) {
      const histories = drawHistories(SEEDS, upTo(ITEMS), length);
      const needed = Math.ceil(length / 2);
      const options = { minUsers: 2, candidates: 10, rule };
      const found = drawTasks(log, { cellOfUser, cells, histories, needed }, SEEDS, options);
      const [lists, counts, known] = [found.candidates, found.counts, histories].map(rowsOf);
      lists.forEach((candidates, draw) => {
        const asked = { cell: cells[draw], history: known[draw], needed, candidates };
        const expected = twin({ log, cellOfUser, ...asked });
        assert.equal(found.groupSize[draw], expected.users.length);
        if (expected.users.length < 2) assert.deepEqual([...new Set(candidates)], [-1]);
        else assert.equal(new Set(candidates).size, 10);
        assert.deepEqual(counts[draw], expected.counts);
        if (rule !== "literal") assert.ok(!candidates.some((item) => known[draw].includes(item)));
      });
    }
});

test("half of the candidates were chosen, half were not; too few items are no task", () => {
  const log = { users: upTo(200).map((pair) => Math.floor(pair / 20)), items: upTo(200).map((pair) => pair % 20) };
  const proxies = { cellOfUser: new Int8Array(10), cells: new Int8Array(DRAWS) };
  const { counts } = drawTasks({ ...log, itemCount: 100 }, proxies, SEEDS, { candidates: 30 });
  for (const row of rowsOf(counts)) assert.equal(row.filter((count) => count === 10).length, 15);
  assert.equal(counts.data.filter((count) => count === 0).length, 15 * DRAWS);
  const few = drawTasks(log, proxies, SEEDS, { candidates: 30 });
  assert.ok(few.candidates.data.every((item) => item === -1) && few.counts.data.every((count) => count === 0));
  assert.ok(few.groupSize.every((size) => size === 10));
});

test("a shorter history begins a longer one, and pieces are the whole", () => {
  const long = rowsOf(drawHistories(SEEDS, upTo(ITEMS), 12));
  const short = rowsOf(drawHistories(SEEDS, upTo(ITEMS), 4));
  assert.deepEqual(
    short,
    long.map((row) => row.slice(0, 4)),
  );
  for (const row of long) assert.equal(new Set(row).size, 12);
  assert.deepEqual(drawSeeds(3n, DRAWS - 30, { first: 30 }), SEEDS.slice(30));
  assert.deepEqual(drawSeeds(2n ** 64n - 1n, 1, { first: 2n ** 64n - 1n }).length, 1);
  assert.deepEqual(drawHistories(SEEDS, [5], 0), { data: new Int32Array(0), rows: DRAWS, columns: 0 });

  const { log, cellOfUser, cells } = randomLog(random(6));
  const drawn = (from) =>
    drawTasks(log, { cellOfUser, cells: cells.slice(from), histories: short.slice(from) }, SEEDS.slice(from));
  const [whole, piece] = [drawn(0), drawn(30)];
  assert.deepEqual(piece.groupSize, whole.groupSize.slice(30));
  assert.deepEqual(rowsOf(piece.candidates), rowsOf(whole.candidates).slice(30));
  assert.deepEqual(rowsOf(piece.counts), rowsOf(whole.counts).slice(30));
});

test("every form of the same log gives the same tasks", () => {
  const { log, cellOfUser, cells } = randomLog(random(7));
  const histories = drawHistories(SEEDS, upTo(ITEMS), 2);
  const expected = drawTasks(log, { cellOfUser, cells, histories, needed: 2 }, SEEDS);
  const shared = Int32Array.from(cellOfUser);
  const own = new Int32Array(new SharedArrayBuffer(4 * USERS));
  own.set(shared);
  const column = (numbers) => arrow.vectorFromArray(numbers, new arrow.Int32());
  const list = new arrow.FixedSizeList(2, new arrow.Field("item", new arrow.Int32(), false));
  const forms = [
    [
      { ...log, users: Uint8Array.from(log.users), items: BigInt64Array.from(log.items, BigInt) },
      cellOfUser,
      histories,
    ],
    [{ ...log, users: column(log.users), items: column(log.items) }, own, rowsOf(histories)],
    [{ ...log, items: log.items.map(BigInt) }, cellOfUser.map((cell) => (cell < 0 ? null : cell)), histories],
    [{ ...log, itemCount: null }, shared, arrow.vectorFromArray(rowsOf(histories), list)],
    [log, Int8Array.from(cellOfUser), { ...histories, data: Uint32Array.from(histories.data) }],
  ];
  for (const [form, of, known] of forms) {
    const found = drawTasks(form, { cellOfUser: of, cells, histories: known, needed: 2 }, SEEDS);
    assert.deepEqual(found, expected);
  }
  assert.deepEqual(drawTasks(log, { cellOfUser, cells, histories }, SEEDS), expected, "three fifths of two are two");
  assert.deepEqual(
    drawTasks(log, { cellOfUser, cells, histories }, SEEDS, { inventory: upTo(ITEMS).reverse() }),
    expected,
  );
});

test("tasks are scored as they come", () => {
  const { log } = randomLog(random(8));
  const { counts } = drawTasks(log, { cellOfUser: new Int8Array(USERS), cells: new Int8Array(DRAWS) }, SEEDS);
  const best = rowsOf(counts).map((row) => upTo(50).sort((a, b) => row[b] - row[a]));
  assert.ok(Math.abs(skill(score(counts, best)).value - 1) < 1e-12);
});

test("nothing is drawn from nothing", () => {
  const none = { data: new Int32Array(0), rows: 0, columns: 50 };
  const found = drawTasks({ users: [], items: [] }, { cellOfUser: [], cells: [] }, drawSeeds(0, 0));
  assert.deepEqual(found, { groupSize: new Int32Array(0), candidates: none, counts: none });
  const nobody = drawTasks({ users: [], items: [], itemCount: 9 }, { cellOfUser: [], cells: [0] }, drawSeeds(0, 1));
  assert.deepEqual([...nobody.groupSize], [0]);
});

test("arguments are left as they were", () => {
  const { log, cellOfUser, cells } = randomLog(random(9));
  const arrays = [log.users, log.items, cellOfUser, cells].map((numbers) => Int32Array.from(numbers));
  const before = arrays.map((array) => array.slice());
  const [seeds, inventory] = [SEEDS.slice(), Int32Array.from(upTo(ITEMS).reverse())];
  const histories = drawHistories(seeds, inventory, 3);
  const held = histories.data.slice();
  const [users, items, of, wanted] = arrays;
  drawTasks({ users, items }, { cellOfUser: of, cells: wanted, histories }, seeds, { inventory });
  assert.deepEqual(arrays, before);
  assert.deepEqual([seeds, histories.data, inventory[0]], [SEEDS, held, ITEMS - 1]);
});
