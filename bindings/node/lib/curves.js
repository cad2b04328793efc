/** Bins, rolling means, and the curve of one model (method, section 5). */

import { call } from "./library.js";
import { realVector } from "./matrix.js";
import { optionalNumber, optionsOf, wholeNumber } from "./options.js";
import { described, lengthOf } from "./typed.js";

const OUTCOMES = ["value", "none", "censored", "undefined"];
// 128 MiB per array of bins; more is a mistake, and would be asked of the system all the same.
const MOST_BINS = 2 ** 24;

export function binMeans(x, y, options) {
  const { bins = 200, support } = optionsOf("binMeans", options, ["bins", "support"]);
  const size = wholeNumber("bins", bins, { most: MOST_BINS });
  const range = rangeOf(support);
  const [across, up] = pair("x", x, "y", y);
  const [center, mean, count] = [new Float64Array(size), new Float64Array(size), new BigInt64Array(size)];
  call("binMeans", [across, up, lengthOf(across), size, ...range, center, mean, count]);
  const isFilled = (_, bin) => count[bin] > 0n;
  const filled = Float64Array.from(count.filter(isFilled), Number);
  return { center: center.filter(isFilled), mean: mean.filter(isFilled), count: filled };
}

export function rollingMean(values, window) {
  const width = wholeNumber("window", window);
  const held = realVector("values", values);
  const out = new Float64Array(Math.max(0, lengthOf(held) - width + 1));
  call("rollingMean", [held, lengthOf(held), width, out]);
  return out;
}

export function curve(entropy, crossEntropy, options) {
  const names = ["bins", "window", "degree", "support", "grid"];
  const { bins = 200, window = 30, degree = 4, support, grid = [] } = optionsOf("curve", options, names);
  const sizes = [
    wholeNumber("bins", bins, { most: MOST_BINS }),
    wholeNumber("window", window),
    wholeNumber("degree", degree, { most: 15 }),
  ];
  const range = rangeOf(support);
  const places = realVector("grid", grid);
  const [across, up] = pair("entropy", entropy, "crossEntropy", crossEntropy);
  const fitted = new Float64Array(lengthOf(places));
  const [turningPoint, outcome] = [new Float64Array(1), new Int32Array(1)];
  const written = [turningPoint, outcome, fitted];
  call("curve", [across, up, lengthOf(across), ...sizes, ...range, places, lengthOf(places), ...written]);
  return { turningPoint: turningPoint[0], outcome: OUTCOMES[outcome[0]], fitted };
}

/** Both ends; NaN where the library is to find them. */
function rangeOf(support) {
  if (support === undefined) return [NaN, NaN];
  if (!Array.isArray(support) || support.length !== 2)
    throw new TypeError(`support: expected [low, high], got ${described(support)}`);
  return [optionalNumber("support", support[0]), optionalNumber("support", support[1])];
}

/** Measured last, as reading the second may run the caller's code. */
function pair(nameOfX, x, nameOfY, y) {
  const vectors = [realVector(nameOfX, x), realVector(nameOfY, y)];
  const [across, up] = vectors.map(lengthOf);
  if (across === up) return vectors;
  throw new RangeError(`expected as many ${nameOfX} as ${nameOfY}, got ${across} and ${up}`);
}
