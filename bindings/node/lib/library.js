/** Finds libhabitus, loads it once and declares its functions: the one file that knows koffi. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import koffi from "koffi";

import { HabitusError, errorOf, errorRecord } from "./errors.js";

const FILE = "libhabitus.so";
const COPY = fileURLToPath(new URL(`../native/${FILE}`, import.meta.url));
const VERSION = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;

// Whatever is a pointer is void here: koffi then passes the address of a typed array and reads none of it.
const FUNCTIONS = {
  score:
    "int habitus_score(const void *counts, int counts_type, int64_t tasks, int64_t candidates, const void *rankings, " +
    "int rankings_type, int64_t lists, int64_t length, const void *task, double alpha, int fill, void *entropy, " +
    "void *chance, void *worst, void *cross_entropy, void *valid, void *error)",
  scoreValues:
    "int habitus_score_values(const void *weights, const void *values, int64_t tasks, int64_t candidates, " +
    "const void *rankings, int rankings_type, int64_t lists, int64_t length, const void *task, int fill, " +
    "void *entropy, void *chance, void *worst, void *cross_entropy, void *valid, void *error)",
  skill:
    "int habitus_skill(const void *entropy, const void *chance, const void *reference, int64_t tasks, " +
    "const void *cross_entropy, int64_t lists, const void *task, double min_gap, void *skill, void *scored, " +
    "void *excluded, void *error)",
  entropy:
    "int habitus_entropy(const void *counts, int counts_type, int64_t tasks, int64_t candidates, int estimator, " +
    "double alpha, void *entropy, void *error)",
  binMeans:
    "int habitus_bin_means(const void *x, const void *y, int64_t points, int64_t bins, double low, double high, " +
    "void *center, void *mean, void *count, void *error)",
  rollingMean: "int habitus_rolling_mean(const void *values, int64_t size, int64_t window, void *out, void *error)",
  curve:
    "int habitus_curve(const void *entropy, const void *cross_entropy, int64_t points, int64_t bins, int64_t window, " +
    "int64_t degree, double low, double high, const void *grid, int64_t places, void *turning_point, void *outcome, " +
    "void *fitted, void *error)",
  seeds: "int habitus_seeds(uint64_t base, uint64_t first, int64_t size, void *seeds, void *error)",
  histories:
    "int habitus_histories(const void *seeds, int64_t draws, const void *inventory, int64_t inventory_size, " +
    "int64_t length, void *histories, void *error)",
  tasks:
    "int habitus_tasks(const void *users, const void *items, int64_t pairs, int64_t user_count, int64_t item_count, " +
    "const void *cell_of_user, const void *cells, const void *histories, int64_t draws, int64_t history_length, " +
    "int64_t needed, const void *seeds, const void *inventory, int64_t inventory_size, int64_t min_users, " +
    "int64_t candidates, int rule, void *group_size, void *chosen, void *counts, void *error)",
  variant: "const char *habitus_variant(void)",
  version: "const char *habitus_version(void)",
  candidates: "const int64_t *habitus_candidates(void)",
};

const SLOTS = availableParallelism();
let running = 0;
const waiting = [];

let loaded;

/** The library: `path`, and its functions by name. */
function library() {
  loaded ??= load(find());
  return loaded;
}

/** Call a function that ends with an error record; throws what it refuses. */
export function call(name, values) {
  const record = errorRecord();
  const error = errorOf(library().functions[name](...values, record), record);
  if (error) throw error;
}

/** The same on a thread of koffi's, as many at once as there are cores. */
export async function callAsync(name, values) {
  const call = library().functions[name].async;
  if (running < SLOTS) running++;
  else await new Promise((resolve) => waiting.push(resolve));
  try {
    await finished(call, values);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** Version and variant of the library, its path, and the numbers of candidates with a kernel of their own. */
export function info() {
  const { path, functions } = library();
  return {
    version: functions.version(),
    variant: functions.variant(),
    candidates: ownKernels(functions),
    library: path,
  };
}

function finished(call, values) {
  const record = errorRecord();
  return new Promise((resolve, reject) => {
    call(...values, record, (fault, status) => {
      const error = fault ?? errorOf(status, record);
      values.length = 0; // until here this closure has kept what the other thread reads and writes
      if (error) reject(error);
      else resolve();
    });
  });
}

function ownKernels(functions) {
  const pointer = functions.candidates();
  const numbers = [];
  for (let size = 1; ; size++) {
    const last = Number(koffi.decode(pointer, "int64_t", size)[size - 1]);
    if (last === 0) return numbers;
    numbers.push(last);
  }
}

function load(path) {
  let functions;
  try {
    const handle = koffi.load(path);
    functions = Object.fromEntries(Object.entries(FUNCTIONS).map(([name, line]) => [name, handle.func(line)]));
  } catch (cause) {
    throw path === FILE ? missing() : unfit(`expected libhabitus, ${path} is none: ${cause.message}`, cause);
  }
  const series = (version) => version.split(".", 2).join(".");
  const version = functions.version();
  if (series(version) !== series(VERSION))
    throw unfit(
      `expected libhabitus ${series(VERSION)}, ${path} is ${version}; install that of this package's version`,
    );
  return { path, functions };
}

/** Where the library is; its bare name, for the loader to search, where no other place has it. */
function find() {
  const named = process.env.HABITUS_LIBRARY;
  if (named) {
    if (!existsSync(named)) throw unfit(`expected libhabitus: HABITUS_LIBRARY names ${named}, which is no file`);
    return resolve(named);
  }
  if (existsSync(COPY)) return COPY;
  const folder = output("pkg-config", "--variable=libdir", "habitus");
  if (folder && existsSync(join(folder, FILE))) return join(folder, FILE);
  // -P: never a module of that name in the current folder.
  const shipped = output("python3", "-P", "-m", "habitus_bindings.native", "where");
  return shipped && existsSync(shipped) ? shipped : FILE;
}

function output(...command) {
  try {
    const stdio = ["ignore", "pipe", "ignore"];
    return execFileSync(command[0], command.slice(1), { encoding: "utf8", stdio, timeout: 10_000 }).trim();
  } catch {
    return "";
  }
}

function missing() {
  return unfit(
    "expected libhabitus: HABITUS_LIBRARY, this package, pkg-config, python3 and the loader know none; " +
      "`python3 -m habitus_bindings.native install` installs it (after `pip install habitus`)",
  );
}

function unfit(message, cause) {
  return new HabitusError("NO_LIBRARY", message, { cause });
}
