/** Scores of ranked lists against what groups of people did, by libhabitus. In nats: divide by Math.LN2 for bits. */

export type IntegerArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigUint64Array;
export type NumberArray = IntegerArray | Float32Array | Float64Array;

/** Rows without gaps. `rows` is `data.length / columns` unless said. */
export interface Matrix<Data extends NumberArray = NumberArray> {
  readonly data: Data;
  readonly columns: number;
  readonly rows?: number;
}

/** A Vector of apache-arrow, known by its shape: the package itself is not needed. */
export interface ArrowVector {
  readonly type: { readonly typeId: number };
  readonly data: readonly unknown[];
  readonly length: number;
}

/** A Table of apache-arrow with one column. */
export interface ArrowTable {
  readonly batches: readonly unknown[];
  readonly numCols: number;
  getChildAt(index: number): ArrowVector | null;
}

type Arrow = ArrowVector | ArrowTable;
type Rows<Item, Data> = readonly (readonly Item[] | Data)[];

/**
 * One row per task, one column per candidate: how many users chose it, 0 or more, at least one positive in each row.
 * Int8Array to BigInt64Array and Arrow columns of these are read where they are, everything else is copied.
 * A bare typed array needs the option `candidates`.
 */
export type Counts = Matrix<IntegerArray> | IntegerArray | Rows<number | bigint, IntegerArray> | Arrow;

/** Real-valued rows: for `scoreValues`, and for the estimators "dirichlet" and "nsb". */
export type RealMatrix = Matrix | NumberArray | Rows<number | bigint, NumberArray> | Arrow;

/**
 * One row per list: candidates in [0, candidates), best first. null, undefined and -1 are empty slots; in rows shorter
 * than the option `length` the missing ones are empty too. A bare typed array needs that option.
 */
export type Rankings =
  Matrix<IntegerArray> | IntegerArray | Rows<number | bigint | null | undefined, IntegerArray> | Arrow;

/** Numbers of things, from 0. */
export type Indices = IntegerArray | readonly (number | bigint)[] | ArrowVector | ArrowTable;

/** The task of each ranking, in [0, tasks). */
export type Tasks = Indices;

/** Numbers; null is NaN, which is a missing point. */
export type Vector = NumberArray | readonly (number | null)[] | ArrowVector | ArrowTable;

/**
 * What empty slots are given. "chance": the expectation over random candidates, so an empty list scores exactly chance;
 * "worst": the least likely candidates; "optimistic": nothing, the list is shorter (an empty one scores as perfect);
 * "drop": the cross-entropy is NaN.
 */
export type Fill = "chance" | "optimistic" | "worst" | "drop";

export interface ScoreValuesOptions {
  /** Default: one ranking per task, in order. */
  task?: Tasks | null;
  /** Default "chance". */
  fill?: Fill | null;
  /** Columns of the counts (weights, values), where a bare typed array does not say. */
  candidates?: number | null;
  /** Columns of the rankings, where a bare typed array does not say; shorter rows end with empty slots. */
  length?: number | null;
}

export interface ScoreOptions extends ScoreValuesOptions {
  /** Pseudo-count, > 0. Default 1 / candidates: one interaction shared by all candidates. */
  alpha?: number | null;
}

/** In nats. `entropy`, `chance` and `worst` have one number per task, `crossEntropy` and `valid` one per ranking. */
export interface Scores {
  entropy: Float64Array;
  chance: Float64Array;
  worst: Float64Array;
  crossEntropy: Float64Array;
  /** How many candidates each ranking lists. */
  valid: Int32Array;
}

export interface SkillOptions {
  /** The task of each ranking. Default: one ranking per task, in order. */
  task?: Tasks | null;
  /** Nats; tasks with chance - H below it are excluded. Default 0.02 bits. */
  minGap?: number | null;
}

export interface Skill {
  /** 1 perfect, 0 chance (of `boundedSkill`: worst); NaN where no ranking is left. */
  value: number;
  /** How many rankings it is from. */
  scored: number;
  /** How many had no cross-entropy, or chance too near to H. */
  excluded: number;
}

export type Estimator = "plug-in" | "miller-madow" | "grassberger" | "chao-shen" | "james-stein" | "dirichlet" | "nsb";

export interface EntropyOptions {
  /** Default "plug-in". */
  estimator?: Estimator | null;
  /** Of "plug-in" (>= 0, default 1 / candidates) and "dirichlet" (> 0, default 1/2); others ignore it. */
  alpha?: number | null;
  /** Columns of the counts, where a bare typed array does not say. */
  candidates?: number | null;
}

export interface BinOptions {
  /** How many over the support. Default 200. */
  bins?: number | null;
  /** Both ends, included; points outside are left out. Default: the range of x where y is known. */
  support?: readonly [low: number, high: number] | null;
}

/** Of bins that hold a point, ascending. */
export interface Bins {
  center: Float64Array;
  mean: Float64Array;
  count: Float64Array;
}

export interface CurveOptions extends BinOptions {
  /** Non-empty bins per rolling mean. Default 30. */
  window?: number | null;
  /** Of the polynomial, 1 to 15. Default 4. */
  degree?: number | null;
  /** x at which the polynomial is wanted. */
  grid?: Vector | null;
}

export interface Curve {
  /** Where the polynomial turns upwards for good; NaN unless the outcome is "value". */
  turningPoint: number;
  /** "none": it never turns; "censored": it still falls where the data end; "undefined": too few bins hold a point. */
  outcome: "value" | "none" | "censored" | "undefined";
  /** The polynomial at the places of `grid`, NaN outside the data. */
  fitted: Float64Array;
}

export interface Info {
  version: string;
  /** What this processor is given: "x86-64-v2", "x86-64-v3", "x86-64-v4" or "generic". */
  variant: string;
  /** Numbers of candidates with a kernel of their own; any other is scored too. */
  candidates: number[];
  /** The path of the library. */
  library: string;
}

export type HabitusErrorCode =
  "BAD_SHAPE" | "BAD_VALUE" | "BAD_INDEX" | "BAD_ARGUMENT" | "NO_MEMORY" | "BAD_CPU" | "NO_LIBRARY";

/** What libhabitus refuses. `row` and `column`, from 0, are null where none is to blame. */
export class HabitusError extends Error {
  constructor(
    code: HabitusErrorCode,
    message: string,
    details?: { row?: number | null; column?: number | null; cause?: unknown },
  );
  readonly code: HabitusErrorCode;
  readonly row: number | null;
  readonly column: number | null;
}

/**
 * Score lists of candidates against how many users chose each candidate.
 *
 * p = (n + alpha) / (sum n + alpha K), sorted. The r-th listed candidate is given p_(r), the others the rest in their
 * own order: H = -sum p log p, CE = -sum p log p_slot >= H. Saha & Choudhury (2025), arXiv 2507.05266, eq. 1 and 2.
 *
 * @throws {TypeError} what came is of another kind: not integers, null in counts, an option that does not exist
 * @throws {RangeError} sizes that do not fit the data, an unknown fill
 * @throws {HabitusError} a number that may not be: a negative count, a candidate listed twice, alpha <= 0
 */
export function score(counts: Counts, rankings: Rankings, options?: ScoreOptions | null): Scores;

/** The same on another thread. The arrays are copied first: they may be written to meanwhile. */
export function scoreAsync(counts: Counts, rankings: Rankings, options?: ScoreOptions | null): Promise<Scores>;

/**
 * Score lists against real-valued or held-out targets: order and slots from `values`, expectation under `weights`.
 *
 * CE = -sum weight_i log value_slot(i). weights >= 0, values > 0, rows sum to 1 within 1e-9.
 */
export function scoreValues(
  weights: RealMatrix,
  values: RealMatrix,
  rankings: Rankings,
  options?: ScoreValuesOptions | null,
): Scores;

/** How far from chance towards perfect one model's lists are: 1 - sum(CE - H) / sum(chance - H). */
export function skill(
  scores: { entropy: Vector; chance: Vector; crossEntropy: Vector },
  options?: SkillOptions | null,
): Skill;

/** How far from worst towards perfect: 1 - sum(CE - H) / sum(worst - H), in [0, 1]. */
export function boundedSkill(
  scores: { entropy: Vector; chance: Vector; worst: Vector; crossEntropy: Vector },
  options?: SkillOptions | null,
): Skill;

/** Entropy of each task, in nats. Real-valued counts: "dirichlet" and "nsb" alone. */
export function entropy(counts: RealMatrix, options?: EntropyOptions | null): Float64Array;

/** Mean y in bins of equal width over x. */
export function binMeans(x: Vector, y: Vector, options?: BinOptions | null): Bins;

/** Means of complete windows: values.length - window + 1 of them, none if there are fewer values. */
export function rollingMean(values: Vector, window: number): Float64Array;

/** The curve of one model: bins, rolling mean, polynomial, the local minimum of largest x. */
export function curve(entropy: Vector, crossEntropy: Vector, options?: CurveOptions | null): Curve;

/** What people chose. */
export interface Log {
  /** The user of each pair, in [0, cellOfUser.length). */
  users: Indices;
  /** What it chose, in [0, itemCount); each pair once. */
  items: Indices;
  /** Default: up to the largest number in the items, the histories and the inventory. */
  itemCount?: number | null;
}

/** What each draw tells about people: its group are the users of its cell who chose enough of its history. */
export interface Proxies {
  /** The cell (a demography, say) of each user; -1, or null in an array, is none. */
  cellOfUser: Indices | readonly (number | bigint | null)[];
  /** The cell of each draw. */
  cells: Indices;
  /** Items in [0, itemCount), a row per draw, each once in its row, at most 255. Default: none, so groups are cells. */
  histories?: Counts | null;
  /** How many of them a user must have chosen: from 1 to all; 0 where there are none. Default: three fifths. */
  needed?: number | null;
}

/**
 * Which items a task offers. "half": half never chosen by anyone of the group, half chosen, both without the history;
 * "quintiles": a fifth from each popularity fifth of the inventory, without the history; "literal": Algorithm 1 of the
 * source as printed; "inventory": half from all of the inventory, half chosen. A short part is filled from the others.
 */
export type Rule = "half" | "quintiles" | "literal" | "inventory";

export interface TaskOptions {
  /** Distinct items that may be candidates. Default: all in [0, itemCount). */
  inventory?: Indices | null;
  /** No candidates are drawn for a smaller group. Default 1. */
  minUsers?: number | null;
  /** How many per task, from 1 to 32767. Default 50. */
  candidates?: number | null;
  /** Default "half". */
  rule?: Rule | null;
}

/** One number, or one row, per draw. */
export interface DrawnTasks {
  /** Users of each group. */
  groupSize: Int32Array;
  /** Items in random order; a row is -1 where the group is too small or so many are not to be found: no task. */
  candidates: Required<Matrix<Int32Array>>;
  /** How many users of the group chose each, as `score` takes it; 0 where there is no task. */
  counts: Required<Matrix<Int32Array>>;
}

/**
 * Seeds of draws `first` (default 0), `first` + 1, ... of a study whose seed is `base`: those of Python's
 * `sampling.seeds(base, range(first, first + draws))`. Both from 0 to 2**64 - 1; at most 2**24 draws.
 */
export function drawSeeds(
  base: number | bigint,
  draws: number,
  options?: { first?: number | bigint | null } | null,
): BigUint64Array;

/** A row of `length` distinct items per seed, each as likely as any; a shorter row begins a longer one of its seed. */
export function drawHistories(seeds: BigUint64Array, inventory: Indices, length: number): Required<Matrix<Int32Array>>;

/**
 * Draw tasks from a log: the group of each draw, candidates for it to rank, and how many of the group chose each.
 *
 * The same seed draws the same task, whatever is drawn beside it.
 */
export function drawTasks(log: Log, proxies: Proxies, seeds: BigUint64Array, options?: TaskOptions | null): DrawnTasks;

/** Which library is at work. Throws NO_LIBRARY where none is found, as every other function does. */
export function info(): Info;
