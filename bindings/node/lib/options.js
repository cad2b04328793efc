/** Options by name, each checked: TypeError for the kind, RangeError or HabitusError for the content. */

import { HabitusError } from "./errors.js";
import { described } from "./typed.js";

const UINT64 = 2n ** 64n;

/** What the caller gave, or nothing; a name that does not exist is refused. */
export function optionsOf(caller, given, names) {
  if (given === undefined || given === null) return {};
  if (typeof given !== "object")
    throw new TypeError(`${caller}: expected an object of options, got ${described(given)}`);
  const known = {};
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw new TypeError(`${caller}: expected options among ${names.join(", ")}, got ${name}`);
    known[name] = given[name] ?? undefined;
  }
  return known;
}

/** The place of a name among those that exist. */
export function chosen(name, among, value = among[0]) {
  if (typeof value !== "string")
    throw new TypeError(`${name}: expected one of ${among.join(", ")}, got ${described(value)}`);
  const place = among.indexOf(value);
  if (place >= 0) return place;
  throw new RangeError(`${name}: expected one of ${among.join(", ")}, got ${described(value)}`);
}

/** A number; without one NaN, which is libhabitus' word for the default. */
export function optionalNumber(name, value) {
  if (value === undefined) return NaN;
  if (typeof value !== "number") throw new TypeError(`${name}: expected a number, got ${described(value)}`);
  if (Number.isNaN(value)) throw new HabitusError("BAD_ARGUMENT", `${name}: expected a number, got NaN`);
  return value;
}

/** A count of something: a whole number that a double holds exactly. */
export function wholeNumber(name, value, { least = 1, most = Number.MAX_SAFE_INTEGER } = {}) {
  if (typeof value !== "number") throw new TypeError(`${name}: expected a whole number, got ${described(value)}`);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name}: expected a whole number from ${least} to ${most}, got ${value}`);
}

/** Any number that 64 bits without a sign hold, as bigint. */
export function unsigned(name, value) {
  if (typeof value !== "number" && typeof value !== "bigint")
    throw new TypeError(`${name}: expected a whole number, got ${described(value)}`);
  if ((typeof value === "bigint" || Number.isSafeInteger(value)) && value >= 0 && value < UINT64) return BigInt(value);
  throw new RangeError(`${name}: expected a whole number from 0 to 2**64 - 1, got ${described(value)}`);
}

/** A whole number, or nothing. */
export function optionalSize(name, value, bounds) {
  return value === undefined ? undefined : wholeNumber(name, value, bounds);
}
