/** Entropies of counts, by estimator. */

import { call } from "./library.js";
import { matrix } from "./matrix.js";
import { chosen, optionalNumber, optionalSize, optionsOf } from "./options.js";

const ESTIMATORS = ["plug-in", "miller-madow", "grassberger", "chao-shen", "james-stein", "dirichlet", "nsb"];

export function entropy(counts, options) {
  const { estimator, alpha, candidates } = optionsOf("entropy", options, ["estimator", "alpha", "candidates"]);
  const number = chosen("estimator", ESTIMATORS, estimator);
  const added = optionalNumber("alpha", alpha);
  const real = estimator === "dirichlet" || estimator === "nsb" ? "too" : undefined;
  const { data, type, rows, columns } = matrix("counts", counts, {
    columns: optionalSize("candidates", candidates),
    real,
  });
  const out = new Float64Array(rows);
  call("entropy", [data, type, rows, columns, number, added, out]);
  return out;
}
