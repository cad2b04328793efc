/** Matrices and vectors from what callers hold: typed arrays, arrays of arrays, Arrow columns. */

import { arrowMatrix, arrowVector, isArrow } from "./arrow.js";
import { HabitusError } from "./errors.js";
import { wholeNumber } from "./options.js";
import { described, int32, integers, kindOf, lengthOf, reals, typeOf } from "./typed.js";

const INT32 = 2 ** 31;
const INT64 = 2n ** 63n;

/**
 * {data, rows, columns, type} of rows without gaps.
 *
 * `columns` is what the caller's option says, if anything; `most`, how many there may be. `empty` stands for null and
 * for what short rows lack; without it both are refused. `real`: "only" makes float64 of all, "too" leaves integers.
 */
export function matrix(name, value, { columns, most, empty, real } = {}) {
  const found = read(name, value, { columns, most, empty, real });
  const data = real === "only" || (real && isReal(found.data)) ? reals(name, found.data) : integers(name, found.data);
  return checked(name, { data, rows: found.rows, columns: found.columns, type: typeOf(data) });
}

/** The matrix, if its numbers are there; asked again before the call, as getters of the caller may have run since. */
export function checked(name, held) {
  const { data, rows, columns } = held;
  const size = lengthOf(data);
  if (columns >= 1 && rows * columns === size) return held;
  if (!(columns >= 1)) throw new RangeError(`${name}: expected at least one column, got ${rows} x ${columns}`);
  throw new RangeError(`${name}: expected ${rows} x ${columns} = ${rows * columns} numbers, got ${size}`);
}

/** A vector of float64; null is NaN. */
export function realVector(name, value) {
  if (isArrow(value)) return reals(name, arrowVector(name, value, NaN));
  if (!Array.isArray(value)) return reals(name, value);
  return listed(value, Float64Array, (item, place) => {
    if (typeof item === "number") return item;
    if (item === null) return NaN;
    throw new TypeError(`${name}: expected numbers, got ${described(item)} at ${place}`);
  });
}

/** A vector of int64. */
export function integerVector(name, value) {
  const found = isArrow(value) ? arrowVector(name, value) : value;
  if (Array.isArray(found)) return listed(found, BigInt64Array, (item, place) => BigInt(integer(name, item, place)));
  const data = integers(name, found);
  return typeOf(data) === 4 ? data : BigInt64Array.from(data, BigInt);
}

/** A vector of int32; null in an array is `empty`, where that is given. */
export function int32Vector(name, value, empty) {
  const found = isArrow(value) ? arrowVector(name, value) : value;
  if (!Array.isArray(found)) return int32(name, found);
  return listed(found, Int32Array, (item, place) => {
    const number = integer(name, item === null && empty !== undefined ? empty : item, place);
    if (number >= -INT32 && number < INT32) return Number(number);
    throw new RangeError(`${name}: expected numbers below 2**31, got ${described(item)} at ${place}`);
  });
}

/** {data, rows, columns} of int32. */
export function int32Matrix(name, value) {
  const { data, rows, columns } = matrix(name, value);
  return { data: int32(name, data), rows, columns };
}

/** By index: an iterator over a sparse array of 2**32 items fills the heap before the first is looked at. */
function listed(items, Kind, convert) {
  const out = new Kind(items.length);
  for (let place = 0; place < out.length; place++) out[place] = convert(items[place], place);
  return out;
}

function isReal(data) {
  return kindOf(data) === "Float64Array" || kindOf(data) === "Float32Array";
}

function read(name, value, options) {
  if (kindOf(value)) return flat(name, value, undefined, options);
  if (Array.isArray(value)) return rowsOf(name, value, options);
  if (isArrow(value)) return arrowMatrix(name, value, options);
  if (value !== null && typeof value === "object" && "data" in value) {
    const { data, rows, columns } = value;
    if (!kindOf(data)) throw new TypeError(`${name}: expected a typed array as data, got ${described(data)}`);
    return flat(name, data, rows, { columns: agreed(name, columns, options.columns) });
  }
  throw new TypeError(
    `${name}: expected rows, a typed array, {data, rows, columns} or an Arrow column, got ${described(value)}`,
  );
}

function agreed(name, own, option) {
  if (own === undefined) return option;
  wholeNumber(`${name}.columns`, own, { least: 0 });
  if (option === undefined || own === option) return own;
  throw new RangeError(`${name}: expected ${option} columns, got ${own}`);
}

function flat(name, data, rows, { columns }) {
  if (columns === undefined)
    throw new TypeError(
      `${name}: expected a matrix, got ${described(data)} alone; say {data, columns}, or the option for it`,
    );
  if (rows !== undefined) return { data, rows: wholeNumber(`${name}.rows`, rows, { least: 0 }), columns };
  const size = lengthOf(data);
  if (columns >= 1 && size % columns === 0) return { data, rows: size / columns, columns };
  throw new RangeError(`${name}: expected rows of ${columns}, got ${size} numbers`);
}

function rowsOf(name, list, options) {
  const rows = list.length;
  const first = rows ? checkedRow(name, list[0], 0, options) : 0;
  const columns = options.columns ?? first;
  if (columns > options.most)
    throw new HabitusError(
      "BAD_SHAPE",
      `${name}: expected lists of at most ${options.most} candidates, got ${columns} slots`,
    );
  for (const Kind of options.real === "only" ? [Float64Array] : [Int32Array, BigInt64Array]) {
    const data = filled(name, list, new Kind(rows * columns), { ...options, columns });
    if (data) return { data, rows, columns };
  }
  return rowsOf(name, list, { ...options, real: "only" });
}

/** How many numbers a row holds: as many as there are columns, or fewer where that may be. */
function checkedRow(name, row, number, { columns, empty }) {
  if (!Array.isArray(row) && !kindOf(row))
    throw new TypeError(`${name}: expected rows of numbers, got ${described(row)} as row ${number}`);
  const size = Array.isArray(row) ? row.length : lengthOf(row);
  if (columns === undefined || size === columns || (size < columns && empty !== undefined)) return size;
  throw new RangeError(`${name}: expected rows of ${columns}, got ${size} numbers in row ${number}`);
}

/** `out` with every row in it; null if its type cannot hold a number of theirs, and another can. */
function filled(name, list, out, { columns, empty, real }) {
  const type = typeOf(out);
  let place = 0;
  for (let number = 0; place < out.length; number++) {
    const row = list[number];
    const size = checkedRow(name, row, number, { columns, empty });
    for (let slot = 0; slot < columns; slot++) {
      const given = slot < size ? row[slot] : null;
      const item = given ?? empty ?? given;
      if (real === "too" && isFraction(item)) return null;
      const value = real === "only" ? real64(name, item, number, slot) : integer(name, item, number, slot);
      if (type === 3 && !(value >= -INT32 && value < INT32)) return null;
      out[place++] = type === 4 ? BigInt(value) : Number(value);
    }
  }
  return out;
}

function isFraction(item) {
  return typeof item === "number" && !Number.isSafeInteger(item);
}

function real64(name, item, row, column) {
  if (typeof item === "number" || typeof item === "bigint") return Number(item);
  throw new TypeError(`${name}: expected a number, got ${described(item)} in row ${row}, column ${column}`);
}

function integer(name, item, row, column) {
  if (Number.isSafeInteger(item)) return item;
  if (typeof item === "bigint" && item >= -INT64 && item < INT64) return item;
  const where = column === undefined ? `at ${row}` : `in row ${row}, column ${column}`;
  const Kind = typeof item === "number" || typeof item === "bigint" ? RangeError : TypeError;
  throw new Kind(`${name}: expected an integer, got ${described(item)} ${where}`);
}
