/** Columns of apache-arrow, known by their shape, as flat arrays: no copy of one chunk without nulls. */

import { described, kindOf, lengthOf } from "./typed.js";

const INT = 2;
const FLOAT = 3;
const LIST = 12;
const FIXED_SIZE_LIST = 16;
const LARGE_LIST = 21;

/** A Vector, or a Table. */
export function isArrow(value) {
  if (value === null || typeof value !== "object") return false;
  return isVector(value) || (Array.isArray(value.batches) && typeof value.getChildAt === "function");
}

/** {data, rows, columns} of lists of one length. `empty` stands for null and for what shorter lists lack. */
export function arrowMatrix(name, value, { columns, empty } = {}) {
  const column = columnOf(name, value);
  const { typeId, listSize } = column.type;
  if (typeId !== FIXED_SIZE_LIST && typeId !== LIST && typeId !== LARGE_LIST)
    throw new TypeError(`${name}: expected a column of lists, got ${column.type}`);
  const chunks = column.data.filter((chunk) => chunk.length > 0);
  const width = columns ?? listSize ?? (chunks.length ? spanOf(chunks[0], 0).size : 0);
  let before = 0;
  const parts = chunks.map((chunk) => {
    const part = listsOf(name, chunk, before, { width, empty });
    before += chunk.length;
    return part;
  });
  return { data: joined(parts), rows: before, columns: width };
}

/** A typed array of numbers; `missing` stands for null among real ones, elsewhere null is refused. */
export function arrowVector(name, value, missing) {
  let before = 0;
  const parts = columnOf(name, value).data.map((chunk) => {
    const values = numbersOf(name, chunk).subarray(0, chunk.length);
    const part = chunk.nullCount > 0 ? withoutNulls(name, { chunk, values, before }, missing) : values;
    before += chunk.length;
    return part;
  });
  return joined(parts);
}

function isVector(value) {
  return Array.isArray(value.data) && typeof value.type?.typeId === "number";
}

function columnOf(name, value) {
  if (isVector(value)) return value;
  const size = value.numCols ?? value.schema?.fields?.length;
  const column = size === 1 ? value.getChildAt(0) : null;
  if (column && isVector(column)) return column;
  throw new TypeError(`${name}: expected a column, got a table of ${size}; take one with getChild`);
}

/** The lists of one chunk, one after the other: where they are, if they are so and whole. */
function listsOf(name, chunk, before, { width, empty }) {
  const row = firstNull(chunk);
  if (row !== undefined) throw new TypeError(`${name}: expected lists, row ${before + row} is null; leave it out`);
  const child = chunk.children[0];
  const values = numbersOf(name, child);
  const { start } = spanOf(chunk, 0);
  if (child.nullCount === 0 && isRegular(chunk, width)) return values.subarray(start, start + chunk.length * width);
  return padded(name, { chunk, child, values, before }, { width, empty });
}

function isRegular({ type, valueOffsets: offsets, length }, width) {
  if (type.typeId === FIXED_SIZE_LIST) return type.listSize === width;
  const step = type.typeId === LARGE_LIST ? BigInt(width) : width;
  for (let row = 0; row < length; row++) if (offsets[row + 1] - offsets[row] !== step) return false;
  return true;
}

function padded(name, { chunk, child, values, before }, { width, empty }) {
  checkSpans(name, { chunk, values, before }, { width, empty });
  const out = new globalThis[kindOf(values)](chunk.length * width);
  const isBig = kindOf(values).startsWith("Big");
  for (let row = 0; row < chunk.length; row++) {
    const { start, size } = spanOf(chunk, row);
    for (let slot = 0; slot < width; slot++) {
      const isKnown = slot < size && child.getValid(start + slot);
      if (!isKnown && empty === undefined)
        throw new TypeError(`${name}: expected numbers, got null in row ${before + row}, column ${slot}`);
      out[row * width + slot] = isKnown ? values[start + slot] : isBig ? BigInt(empty) : empty;
    }
  }
  return out;
}

/** Before any memory is asked for: every list is of the width, or shorter where that may be, and among the numbers. */
function checkSpans(name, { chunk, values, before }, { width, empty }) {
  const total = lengthOf(values);
  for (let row = 0; row < chunk.length; row++) {
    const { start, size } = spanOf(chunk, row);
    if (!(size === width || (size < width && empty !== undefined)))
      throw new RangeError(`${name}: expected rows of ${width}, got ${size} numbers in row ${before + row}`);
    if (!(start >= 0 && size >= 0 && start + size <= total))
      throw new RangeError(
        `${name}: expected ${total} numbers to hold row ${before + row}, from ${start} to ${start + size}`,
      );
  }
}

/** Where the list of a row starts among its chunk's numbers, and how many it holds. */
function spanOf({ type, valueOffsets }, row) {
  if (type.typeId === FIXED_SIZE_LIST) return { start: row * type.listSize, size: type.listSize };
  const start = Number(valueOffsets[row]);
  return { start, size: Number(valueOffsets[row + 1]) - start };
}

/** The buffer of a chunk of integers or real numbers. */
function numbersOf(name, { values, type }) {
  const isHalf = type?.typeId === FLOAT && kindOf(values) === "Uint16Array";
  if (kindOf(values) && (type?.typeId === INT || type?.typeId === FLOAT) && !isHalf) return values;
  throw new TypeError(`${name}: expected numbers, got ${type ?? described(values)}`);
}

function firstNull(chunk) {
  if (chunk.nullCount === 0) return undefined;
  for (let place = 0; place < chunk.length; place++) if (!chunk.getValid(place)) return place;
  return undefined;
}

function withoutNulls(name, { chunk, values, before }, missing) {
  const out = new globalThis[kindOf(values)](values);
  const isReal = kindOf(values).startsWith("Float");
  for (let place = 0; place < chunk.length; place++) {
    if (chunk.getValid(place)) continue;
    if (missing === undefined || !isReal)
      throw new TypeError(`${name}: expected numbers, got null at ${before + place}`);
    out[place] = missing;
  }
  return out;
}

/** One array of several; empty lists hold no numbers of any kind. */
function joined(parts) {
  if (parts.length === 1) return parts[0];
  const Kind = globalThis[kindOf(parts[0])] ?? Int32Array;
  const out = new Kind(parts.reduce((size, part) => size + lengthOf(part), 0));
  let place = 0;
  for (const part of parts) {
    out.set(part, place);
    place += lengthOf(part);
  }
  return out;
}
