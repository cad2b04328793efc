"""What a study concludes, and whether it would have concluded it under another choice."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Literal, NamedTuple

from habitus_runners.comparison import bits
from habitus_runners.model import SEE_THE_ANSWER
from habitus_runners.sensitivity.reading import Order, Reading
from habitus_runners.significance import SIGNIFICANCE, p_text

Kind = Literal["best", "order", "inversion", "two lines", "trend", "setups"]
Outcome = Literal["untouched", "survives", "changed", "open", "unasked"]

NEAR = 0.25  # bits between two places of one inversion
APART = 1.96  # standard errors between setups whose order is a conclusion
_SETUPS = "ABC"
_ROUNDING = 1e-9  # of skill: a model that is always chance has no error


class Answer(NamedTuple):
    """To one question. Answers with the same ``figures`` rest on the same numbers; one not ``known`` says nothing.

    ``state`` is what is compared, ``brief`` the same in words, ``says`` with its figures.
    """

    says: str
    state: str
    figures: tuple[float, ...]
    known: bool = True
    brief: str = ""


class Conclusion(NamedTuple):
    """What the run itself says. ``models`` are those it is about."""

    kind: Kind
    subject: str
    models: tuple[str, ...]
    answer: Answer


class Verdict(NamedTuple):
    """Whether a conclusion survives an alternative: ``says`` is what is found there instead.

    ``untouched``: every figure stays as it is. ``open``: too little is left to say. ``unasked``: a model would have to
    be asked anew.
    """

    outcome: Outcome
    says: str
    answer: Answer | None = None


def competing(names: Iterable[str]) -> tuple[str, ...]:
    """The models that conclusions are about: not those that are shown the answer, unless there are no others."""
    every = tuple(names)
    return tuple(name for name in every if name.partition(":")[0] not in SEE_THE_ANSWER) or every


def conclusions(reading: Reading, rivals: Sequence[str]) -> list[Conclusion]:
    """What the run says, question by question; questions that it leaves open are left out."""
    asked = [one for one in _questions(reading, rivals) if one.answer.known]
    return [one for one in asked if one.kind != "order" or one.answer.state == "decided"]


def verdict(conclusion: Conclusion, reading: Reading) -> Verdict:
    """What becomes of a conclusion under an alternative."""
    missing = [name for name in conclusion.models if name not in reading.skill]
    if missing:
        return Verdict("unasked", f"needs new answers of {', '.join(missing)}: {reading.tasks:,} prompts")
    before, after = conclusion.answer, _ANSWERS[conclusion.kind](conclusion.models, reading)
    if not after.known:
        return Verdict("open", "cannot be said", after)
    if after.figures == before.figures:
        return Verdict("untouched", after.says, after)
    survives = _SURVIVES.get(conclusion.kind, _same)(before, after)
    return Verdict("survives" if survives else "changed", after.says, after)


def _questions(reading: Reading, rivals: Sequence[str]) -> Iterator[Conclusion]:
    def about(kind: Kind, subject: str, *models: str) -> Conclusion:
        return Conclusion(kind, subject, models, _ANSWERS[kind](models, reading))

    if len(rivals) > 1:
        yield about("best", "best model", *rivals)
    ranked = _ranked(reading, rivals)
    for first, second in pairwise(ranked):
        yield about("order", f"{first} before {second}", first, second)
    for name in rivals:
        yield about("inversion", f"inversion of {name}", name)
    for name in rivals:
        yield about("two lines", f"fall and rise of {name}'s cross-entropy", name)
    for name in rivals:
        yield about("trend", f"skill of {name} as entropy grows", name)
    for name in rivals:
        yield about("setups", f"setups of {name}", name)


def _ranked(reading: Reading, rivals: Sequence[str]) -> list[str]:
    """Best first, by cross-entropy on the tasks that all answered."""

    def beaten_by(name: str) -> tuple[int, str]:
        against = (reading.orders[name, other] for other in rivals if (name, other) in reading.orders)
        return sum(order.difference > 0 for order in against), name

    return sorted((name for name in rivals if any(name in pair for pair in reading.orders)), key=beaten_by)


def _best(models: Sequence[str], reading: Reading) -> Answer:
    """The state names the best and whoever is not told apart from it."""
    known = {name: reading.skill[name] for name in models if not math.isnan(reading.skill[name])}
    if not known:
        return Answer("nobody", "", (), known=False)
    best = max(known, key=lambda name: known[name])
    orders = {name: reading.orders[best, name] for name in known if (best, name) in reading.orders}
    beside = [name for name, order in orders.items() if not order.p < SIGNIFICANCE]
    aside = f", not told apart from {', '.join(beside)}" if beside else ""
    says = f"{best} (skill {known[best]:.3f}{aside})"
    return Answer(says, "\n".join((best, *beside)), tuple(known.values()), brief=best)


def _order(models: Sequence[str], reading: Reading) -> Answer:
    order = reading.orders.get((models[0], models[1]), Order(math.nan, math.nan))
    decided, first = order.p < SIGNIFICANCE, order.difference < 0
    state = "decided" if decided and first else "reversed" if decided else "not decided"
    aside = "" if decided or first else ", and the other way round"
    says = f"{state}{aside} ({bits(abs(order.difference))} bits, {p_text(order.p)})"
    return Answer(says, state, tuple(order), not math.isnan(order.p), state)


def _inversion(models: Sequence[str], reading: Reading) -> Answer:
    turn = reading.turns[models[0]]
    says = f"{turn.place:.2f} bits" if turn.outcome == "value" else turn.outcome
    figures = (turn.place, turn.height) if turn.outcome == "value" else (turn.height,)
    return Answer(says, turn.outcome, figures, turn.outcome != "undefined", says)


def _two_lines(models: Sequence[str], reading: Reading) -> Answer:
    turn = reading.turns[models[0]]
    p = turn.two_lines
    state = "shown" if p < SIGNIFICANCE else "not shown"
    return Answer(f"{state} ({p_text(p)})", state, (p, *turn.slopes), not math.isnan(p), state)


def _trend(models: Sequence[str], reading: Reading) -> Answer:
    trend = reading.trends[models[0]]
    state = ("rises" if trend.slope > 0 else "falls") if trend.p < SIGNIFICANCE else "not shown to change"
    says = f"{state} ({trend.slope:+.3f} per bit, {p_text(trend.p)})"
    return Answer(says, state, tuple(trend), not math.isnan(trend.p), state)


def _setups(models: Sequence[str], reading: Reading) -> Answer:
    """The state holds the setups that are told apart, the better one first in each pair."""
    parts = {setup: part for setup, part in reading.by_setup[models[0]].items() if setup in _SETUPS}
    parts = {setup: part for setup, part in parts.items() if not math.isnan(part.skill)}
    ranked = sorted(parts, key=lambda setup: -parts[setup].skill)
    apart = [
        f"{a}{b}"
        for a, b in combinations(ranked, 2)
        if parts[a].skill - parts[b].skill > max(APART * math.hypot(parts[a].error, parts[b].error), _ROUNDING)
    ]
    says = ", ".join(f"{setup} {parts[setup].skill:.3f}" for setup in ranked)
    figures = tuple(part.skill for part in parts.values())
    return Answer(says, " ".join(apart), figures, bool(apart), " > ".join(ranked))


def _same(before: Answer, after: Answer) -> bool:
    return before.state == after.state


def _still_best(before: Answer, after: Answer) -> bool:
    """The best is the best of the run, or one that the run did not tell apart from it."""
    return after.state.split("\n")[0] in before.state.split("\n")


def _near(before: Answer, after: Answer) -> bool:
    if before.state != "value":
        return _same(before, after)
    return _same(before, after) and abs(after.figures[0] - before.figures[0]) <= NEAR


def _ordered(before: Answer, after: Answer) -> bool:
    """No two setups that were told apart are told apart the other way round."""
    turned = {pair[::-1] for pair in after.state.split()}
    return not turned & set(before.state.split())


_ANSWERS: Mapping[Kind, Callable[[Sequence[str], Reading], Answer]] = {
    "best": _best,
    "order": _order,
    "inversion": _inversion,
    "two lines": _two_lines,
    "trend": _trend,
    "setups": _setups,
}
_SURVIVES: Mapping[Kind, Callable[[Answer, Answer], bool]] = {
    "best": _still_best,
    "inversion": _near,
    "setups": _ordered,
}
