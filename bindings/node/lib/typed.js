/** Typed arrays as they really are, and as libhabitus takes them. */

const PROTOTYPE = Object.getPrototypeOf(Int8Array.prototype);
// The getters of the language itself: a subclass may say anything of its length, koffi passes the real memory.
const getter = (name) => {
  const { get } = Object.getOwnPropertyDescriptor(PROTOTYPE, name);
  return (array) => get.call(array);
};

/** "Int32Array" and so on; undefined for anything else. */
export const kindOf = getter(Symbol.toStringTag);
/** How many numbers there are; 0 if the buffer has been taken away. */
export const lengthOf = getter("length");
const bufferOf = getter("buffer");

const TYPES = { Int8Array: 1, Int16Array: 2, Int32Array: 3, BigInt64Array: 4, Float64Array: 5 };
const LARGEST = 2n ** 63n - 1n;
const HALF = 2 ** 31;

/** The habitus_type of a typed array. */
export function typeOf(array) {
  return TYPES[kindOf(array)];
}

/** Integers as int8 to int64: the array itself where it is one, a wider copy of unsigned ones. */
export function integers(name, array) {
  switch (kindOf(array)) {
    case "Int8Array":
    case "Int16Array":
    case "Int32Array":
    case "BigInt64Array":
      return own(array);
    case "Uint8Array":
    case "Uint8ClampedArray":
      return new Int16Array(array);
    case "Uint16Array":
      return new Int32Array(array);
    case "Uint32Array":
      return narrowed(new Uint32Array(array));
    case "BigUint64Array":
      return signed(name, new BigUint64Array(array));
    default:
      throw new TypeError(`${name}: expected integers, got ${described(array)}`);
  }
}

/** Integers as int32: the array itself where it is one. */
export function int32(name, array) {
  const held = integers(name, array);
  if (kindOf(held) === "Int32Array") return held;
  if (kindOf(held) !== "BigInt64Array") return new Int32Array(held);
  const place = held.findIndex((number) => BigInt.asIntN(32, number) !== number);
  if (place < 0) return Int32Array.from(held, Number);
  throw new RangeError(`${name}: expected numbers below 2**31, got ${held[place]} at ${place}`);
}

/** Seeds: 64 bits without a sign. */
export function uint64(name, array) {
  if (kindOf(array) === "BigUint64Array") return own(array);
  throw new TypeError(`${name}: expected a BigUint64Array, as drawSeeds gives it, got ${described(array)}`);
}

/** Numbers as float64: the array itself where it is one, else a copy. */
export function reals(name, array) {
  switch (kindOf(array)) {
    case undefined:
      throw new TypeError(`${name}: expected numbers, got ${described(array)}`);
    case "Float64Array":
      return own(array);
    case "BigInt64Array":
    case "BigUint64Array":
      return Float64Array.from(array, Number);
    default:
      return new Float64Array(array);
  }
}

/** A copy that nobody else holds, for a call that does not end at once. */
export function copied(array) {
  const Kind = globalThis[kindOf(array)];
  return new Kind(array);
}

/** What came, for a message. */
export function described(value) {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object") return String(value);
  return kindOf(value) ?? (Array.isArray(value) ? "an array" : "an object");
}

// Another thread may write into shared memory between libhabitus' checks and its sums.
function own(array) {
  return bufferOf(array) instanceof ArrayBuffer ? array : copied(array);
}

function narrowed(array) {
  return array.some((number) => number >= HALF) ? BigInt64Array.from(array, BigInt) : new Int32Array(array);
}

function signed(name, array) {
  const place = array.findIndex((number) => number > LARGEST);
  if (place >= 0) throw new RangeError(`${name}: expected numbers below 2**63, got ${array[place]}`);
  return new BigInt64Array(array.buffer);
}
