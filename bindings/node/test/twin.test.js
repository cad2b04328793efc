/** Random tasks against the slow twin, for every fill; and the laws that any score must keep. */

import assert from "node:assert/strict";
import test from "node:test";

import { score } from "habitus";
import { random } from "./random.js";
import { twin } from "./twin.js";

const FILLS = ["chance", "optimistic", "worst", "drop"];

function draw({ below, pick, shuffled, uniform }) {
  const candidates = 2 + below(6);
  const length = 1 + below(Math.min(3, candidates));
  const counts = Array.from({ length: candidates }, () => pick([0, 0, below(4), below(40), below(1_000_000)]));
  counts[below(candidates)] += 1;
  const ranking = shuffled(candidates)
    .slice(0, length)
    .map((item) => (uniform() < 0.25 ? -1 : item));
  return { counts, ranking, alpha: pick([1 / candidates, 0.5, 1, uniform() + 1e-4]), fill: pick(FILLS) };
}

test("500 random rankings", () => {
  const source = random(7);
  for (let trial = 0; trial < 500; trial++) {
    const { counts, ranking, alpha, fill } = draw(source);
    const found = score([counts], [ranking], { alpha, fill });
    const expected = twin(counts, ranking, alpha, fill);
    for (const name of Object.keys(expected)) {
      const [one, other] = [found[name][0], expected[name]];
      const message = `trial ${trial}, ${name}: ${one} is not ${other}`;
      assert.ok(Object.is(one, other) || Math.abs(one - other) <= 1e-12, message);
    }
  }
});

test("entropy <= cross-entropy <= worst; an empty list scores chance", () => {
  const source = random(11);
  for (let trial = 0; trial < 300; trial++) {
    const { counts, ranking, alpha } = draw(source);
    const { entropy, crossEntropy, worst } = score([counts], [ranking], { alpha });
    assert.ok(entropy[0] <= crossEntropy[0] + 1e-12 && crossEntropy[0] <= worst[0] + 1e-12);
    const empty = score([counts], [ranking.map(() => null)], { alpha });
    assert.ok(Math.abs(empty.crossEntropy[0] - empty.chance[0]) <= 1e-12);
  }
});
