/** The golden vectors to 1e-12, and the Python engine's own results on the same machine to the bit. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { binMeans, boundedSkill, curve, drawHistories, drawSeeds, drawTasks, entropy } from "habitus";
import { rollingMean, score, scoreValues, skill } from "habitus";

const folder = process.env.HABITUS_GOLDEN;
const skipped = folder ? false : "HABITUS_GOLDEN is not set: tests/bindings/test_node.py writes that folder";
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));

function close(found, expected, tolerance = 1e-12) {
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} is not ${expected}`);
}

/** To the bit; JSON has no NaN, so it is null there. */
function same(found, expected, name) {
  const numbers = ArrayBuffer.isView(found) ? [...found] : [found];
  const wanted = [expected].flat();
  assert.equal(numbers.length, wanted.length, name);
  wanted.forEach((number, place) => {
    assert.ok(Object.is(numbers[place], number ?? NaN), `${name}: ${numbers[place]} is not ${number} at ${place}`);
  });
}

function sameScores(found, expected, name) {
  for (const field of Object.keys(expected)) same(found[field], expected[field], `${name}.${field}`);
}

test("golden vectors", { skip: skipped }, () => {
  const rows = read("golden.json");
  assert.equal(rows.length, 600);
  const columns = { optimistic: "optimistic", chance: "cross_entropy", worst: "filled_worst" };
  for (const row of rows)
    for (const [fill, column] of Object.entries(columns)) {
      const found = score([row.counts], [row.ranking], { alpha: row.alpha, fill });
      close(found.entropy[0], row.entropy);
      close(found.chance[0], row.chance);
      close(found.worst[0], row.worst);
      close(found.crossEntropy[0], row[column]);
      sameScores(found, row.engine[fill], fill);
    }
});

test("the engine's own scores of many tasks", { skip: skipped }, () => {
  const cases = read("scores.json");
  assert.ok(cases.length > 20);
  for (const { name, counts, rankings, options, engine } of cases)
    sameScores(score(counts, rankings, options), engine, name);
});

test("the engine's own scores of real-valued targets", { skip: skipped }, () => {
  const cases = read("values.json");
  assert.ok(cases.length > 3);
  for (const { weights, values, rankings, options, engine } of cases)
    sameScores(scoreValues(weights, values, rankings, options), engine, options.fill);
});

test("the engine's own skill", { skip: skipped }, () => {
  const cases = read("skill.json");
  assert.ok(cases.length > 3);
  for (const { scores, options, engine, bounded } of cases) {
    const [ofChance, ofWorst] = [skill(scores, options), boundedSkill(scores, options)];
    for (const [found, wanted] of [
      [ofChance, engine],
      [ofWorst, bounded],
    ]) {
      same(found.value, wanted.value, "skill");
      assert.deepEqual([found.scored, found.excluded], [wanted.scored, wanted.excluded]);
    }
  }
});

test("the engine's own entropies", { skip: skipped }, () => {
  const cases = read("entropy.json");
  assert.equal(new Set(cases.map((each) => each.options.estimator)).size, 7);
  for (const { counts, options, engine } of cases) same(entropy(counts, options), engine, options.estimator);
});

test("the engine's own bins, means and curves", { skip: skipped }, () => {
  const cases = read("curves.json");
  assert.ok(cases.length > 3);
  for (const { x, y, bins, window, grid, engine } of cases) {
    const found = binMeans(x, y, { bins });
    for (const field of ["center", "mean", "count"]) same(found[field], engine[field], field);
    same(rollingMean(x, window), engine.rolling, "rollingMean");
    const turned = curve(x, y, { bins, window, grid });
    assert.equal(turned.outcome, engine.outcome);
    if (engine.outcome === "value") close(turned.turningPoint, engine.inversion, 1e-9);
    else assert.ok(Number.isNaN(turned.turningPoint));
    turned.fitted.forEach((height, place) => {
      if (engine.fitted[place] === null) assert.ok(Number.isNaN(height));
      else close(height, engine.fitted[place], 1e-9);
    });
  }
});

test("the engine's own seeds", { skip: skipped }, () => {
  const cases = read("seeds.json");
  assert.ok(cases.length > 3);
  for (const { base, first, engine } of cases) {
    const found = drawSeeds(BigInt(base), engine.length, { first: BigInt(first) });
    assert.deepEqual([...found].map(String), engine);
  }
});

test("the engine's own histories and tasks", { skip: skipped }, () => {
  const { base, users, items, itemCount, cellOfUser, inventory, draws } = read("tasks.json");
  assert.equal(new Set(draws.map((each) => each.rule)).size, 4);
  for (const { rule, length, needed, cells, engine } of draws) {
    const seeds = drawSeeds(BigInt(base), cells.length);
    const histories = drawHistories(seeds, inventory, length);
    same(histories.data, engine.histories.flat(), "histories");
    const proxies = { cellOfUser, cells, histories, needed };
    const found = drawTasks({ users, items, itemCount }, proxies, seeds, {
      inventory,
      minUsers: 2,
      candidates: 20,
      rule,
    });
    same(found.groupSize, engine.size, `${rule}: groupSize`);
    same(found.candidates.data, engine.candidates.flat(), `${rule}: candidates`);
    same(found.counts.data, engine.counts.flat(), `${rule}: counts`);
  }
});
