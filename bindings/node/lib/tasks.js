/** Tasks drawn from a log of who chose what (method, section 3). Sizes are checked here, numbers by libhabitus. */

import { HabitusError } from "./errors.js";
import { call } from "./library.js";
import { checked, int32Matrix, int32Vector } from "./matrix.js";
import { chosen, optionalSize, optionsOf, unsigned, wholeNumber } from "./options.js";
import { lengthOf, uint64 } from "./typed.js";

const RULES = ["half", "quintiles", "literal", "inventory"];
// 128 MiB of seeds; more is a mistake, or is drawn in pieces.
const MOST_DRAWS = 2 ** 24;
// An item takes libhabitus some 30 bytes, whether anybody chose it or not.
const MOST_ITEMS = 2 ** 26;
const MOST_CANDIDATES = 32_767;
const LONGEST_HISTORY = 255;
const NO_CELL = -1;
const NO_HISTORIES = { data: new Int32Array(0), rows: 0, columns: 0 };

export function drawSeeds(base, draws, options) {
  const { first = 0 } = optionsOf("drawSeeds", options, ["first"]);
  const out = new BigUint64Array(wholeNumber("draws", draws, { least: 0, most: MOST_DRAWS }));
  call("seeds", [unsigned("base", base), unsigned("first", first), lengthOf(out), out]);
  return out;
}

export function drawHistories(seeds, inventory, length) {
  const columns = wholeNumber("length", length, { least: 0 });
  const [held, offered] = [uint64("seeds", seeds), int32Vector("inventory", inventory)];
  const [rows, size] = [held, offered].map(lengthOf);
  if (columns > size)
    throw new HabitusError("BAD_SHAPE", `expected a history of at most ${size} items (the inventory), got ${columns}`);
  const data = new Int32Array(rows * columns);
  if (columns > 0) call("histories", [held, rows, offered, size, columns, data]);
  return { data, rows, columns };
}

export function drawTasks(log, proxies, seeds, options) {
  const { users, items, ...given } = logOf(log);
  const { of, cells, histories, needed } = proxiesOf(proxies);
  const { inventory, minUsers, columns, rule } = rulesOf(options);
  const draws = uint64("seeds", seeds);
  // Nothing of the caller's runs from here on: what getters took away shows in the sizes.
  const [pairs, rows] = [sameLength({ users, items }), sameLength({ seeds: draws, cells })];
  if (histories !== NO_HISTORIES && checked("histories", histories).rows !== rows)
    throw new RangeError(`histories: expected ${rows} rows, one for each seed, got ${histories.rows}`);
  const itemCount = given.itemCount ?? counted([items, histories.data, inventory ?? NO_HISTORIES.data]);
  const offered = inventory ?? new Int32Array(itemCount).map((_, item) => item);
  const group = new BigInt64Array(rows);
  const out = [new Int32Array(rows * columns), new Int32Array(rows * columns)];
  const known = [of, cells, histories.data, rows, histories.columns, needed, draws];
  const asked = [offered, lengthOf(offered), minUsers, columns, rule];
  call("tasks", [users, items, pairs, lengthOf(of), itemCount, ...known, ...asked, group, ...out]);
  const [candidates, counts] = out.map((data) => ({ data, rows, columns }));
  return { groupSize: Int32Array.from(group, Number), candidates, counts };
}

function logOf(log) {
  const { users, items, itemCount } = optionsOf("log", log, ["users", "items", "itemCount"]);
  return {
    itemCount: optionalSize("itemCount", itemCount, { least: 0, most: MOST_ITEMS }),
    users: int32Vector("users", users),
    items: int32Vector("items", items),
  };
}

function proxiesOf(proxies) {
  const names = ["cellOfUser", "cells", "histories", "needed"];
  const { cellOfUser, cells, histories, needed } = optionsOf("proxies", proxies, names);
  const held = historiesOf(histories);
  if (held.columns > LONGEST_HISTORY)
    throw new RangeError(`histories: expected at most ${LONGEST_HISTORY} items, got ${held.columns}`);
  const least = needed ?? Math.ceil((3 * held.columns) / 5);
  return {
    of: int32Vector("cellOfUser", cellOfUser, NO_CELL),
    cells: int32Vector("cells", cells),
    histories: held,
    needed: wholeNumber("needed", least, { least: 0 }),
  };
}

/** No history, or what drawHistories gave for a length of 0, tells nothing. */
function historiesOf(histories) {
  if (histories === undefined || histories.columns === 0) return NO_HISTORIES;
  return int32Matrix("histories", histories);
}

function rulesOf(options) {
  const names = ["inventory", "minUsers", "candidates", "rule"];
  const { inventory, minUsers = 1, candidates = 50, rule } = optionsOf("drawTasks", options, names);
  return {
    minUsers: wholeNumber("minUsers", minUsers, { least: 0 }),
    columns: wholeNumber("candidates", candidates, { most: MOST_CANDIDATES }),
    rule: chosen("rule", RULES, rule),
    inventory: inventory === undefined ? undefined : int32Vector("inventory", inventory),
  };
}

function sameLength(vectors) {
  const [[one, first], [other, second]] = Object.entries(vectors);
  const [size, otherSize] = [first, second].map(lengthOf);
  if (size === otherSize) return size;
  throw new RangeError(`expected as many ${one} as ${other}, got ${size} and ${otherSize}`);
}

/** How many items there are, by the largest number among these. */
function counted(arrays) {
  let most = -1;
  // By index: a subclass may have a reduce of its own.
  for (const array of arrays)
    for (let place = lengthOf(array) - 1; place >= 0; place--) if (array[place] > most) most = array[place];
  if (most < MOST_ITEMS) return most + 1;
  throw new RangeError(`items: expected numbers below ${MOST_ITEMS}, got ${most}; number them without gaps`);
}
