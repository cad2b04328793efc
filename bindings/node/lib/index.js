/** Scores of ranked lists against what groups of people did, by libhabitus. All scores are in nats; see index.d.ts. */

export { HabitusError } from "./errors.js";
export { info } from "./library.js";
export { boundedSkill, score, scoreAsync, scoreValues, skill } from "./scoring.js";
export { entropy } from "./entropy.js";
export { binMeans, curve, rollingMean } from "./curves.js";
export { drawHistories, drawSeeds, drawTasks } from "./tasks.js";
