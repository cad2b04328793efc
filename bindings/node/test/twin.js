/** Scores written as the method says them, one ranking at a time: slow, and sharing no code with the package. */

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const descending = (numbers) => [...numbers].sort((a, b) => b - a);

/** {entropy, chance, worst, crossEntropy, valid} of one list of `ranking.length` slots about one row of counts. */
export function twin(counts, ranking, alpha = 1 / counts.length, fill = "chance") {
  const total = sum(counts) + alpha * counts.length;
  const p = counts.map((count) => (count + alpha) / total);
  const listed = ranking.filter((item) => item >= 0);
  return {
    entropy: -sum(p.map((each) => each * Math.log(each))),
    chance: filledByChance(p, [], ranking.length),
    worst: worst(p, [], ranking.length),
    crossEntropy: crossEntropy(p, listed, ranking.length, fill),
    valid: listed.length,
  };
}

function crossEntropy(p, listed, length, fill) {
  if (fill === "drop" && listed.length < length) return NaN;
  if (fill === "chance") return filledByChance(p, listed, length);
  if (fill === "worst") return worst(p, listed, length);
  return ofOrder(p, ordered(p, listed));
}

/** -sum of p of the candidate in each slot times the log of that slot's probability. */
function ofOrder(p, order) {
  const slots = descending(p);
  return -sum(order.map((item, slot) => p[item] * Math.log(slots[slot])));
}

/** The listed candidates, then the others, likeliest first. */
function ordered(p, listed) {
  const others = p.map((_, item) => item).filter((item) => !listed.includes(item));
  return [...listed, ...others.sort((a, b) => p[b] - p[a])];
}

function worst(p, listed, length) {
  const least = ordered(p, listed).slice(listed.length).reverse();
  return ofOrder(p, ordered(p, [...listed, ...least.slice(0, length - listed.length)]));
}

/** The mean over every way in which the empty slots may be filled. */
function filledByChance(p, listed, length) {
  if (listed.length === length) return ofOrder(p, ordered(p, listed));
  const others = p.map((_, item) => item).filter((item) => !listed.includes(item));
  return sum(others.map((item) => filledByChance(p, [...listed, item], length))) / others.length;
}
