"""What the verdicts amount to, in sentences: per alternative what changed, per conclusion what it depends on."""

from collections.abc import Sequence
from itertools import groupby

from habitus_runners.sensitivity import Row, Sensitivity
from habitus_runners.sensitivity.conclusions import Conclusion, Verdict


def tally(row: Row) -> str:
    """How many of the conclusions that an alternative touches survive it."""
    judged = [one.outcome for one in row.verdicts if one.outcome in {"survives", "changed"}]
    survive = judged.count("survives")
    if not judged:
        return "none touched"
    return f"all {survive}" if survive == len(judged) else f"{survive} of {len(judged)}"


def changes(found: Sensitivity, row: Row) -> list[str]:
    """What an alternative changes, one line per conclusion; what must be asked anew in one."""
    pairs = list(zip(found.conclusions, row.verdicts, strict=True))
    changed = [
        f"{one.subject}: {one.answer.brief} -> {verdict.says}" for one, verdict in pairs if _is(verdict, "changed")
    ]
    still = [one.subject for one, verdict in pairs if _is(verdict, "open")]
    return [
        *changed,
        *([f"cannot be said: {', '.join(still)}"] if still else []),
        *sorted({verdict.says for verdict in row.verdicts if _is(verdict, "unasked")}),
    ]


def standing(found: Sensitivity) -> list[Conclusion]:
    """The conclusions that every alternative leaves as they are, as far as it can say."""
    return [one for place, one in enumerate(found.conclusions) if not _changed(found, place)]


def depending(found: Sensitivity) -> list[str]:
    """Of each other conclusion one sentence on what it depends."""
    return [_sentence(found, place) for place in range(len(found.conclusions)) if _changed(found, place)]


def _is(verdict: Verdict, outcome: str) -> bool:
    return verdict.outcome == outcome


def _changed(found: Sensitivity, place: int) -> bool:
    return any(_is(row.verdicts[place], "changed") for row in found.rows)


def _sentence(found: Sensitivity, place: int) -> str:
    one = found.conclusions[place]
    verdicts = [(row, row.verdicts[place]) for row in found.rows]
    judged = [_is(verdict, "survives") for _, verdict in verdicts if verdict.outcome in {"survives", "changed"}]
    families = [_by_family(one, name, list(rows)) for name, rows in groupby(verdicts, key=lambda pair: pair[0].family)]
    told = " | ".join(family for family in families if family)
    return f"{one.subject}: {one.answer.says}; survives {sum(judged)} of {len(judged)}. Otherwise {told}"


def _by_family(one: Conclusion, family: str, verdicts: Sequence[tuple[Row, Verdict]]) -> str:
    """What changes within a family of alternatives; of a point that moves, how far."""
    turned = one.kind == "inversion" and one.answer.state == "value"
    names: dict[str, list[str]] = {}
    places = [one.answer.figures[0]] if turned else []
    moved = False
    for row, verdict in verdicts:
        if verdict.answer is None:
            continue
        if turned and verdict.answer.state == "value":
            places.append(verdict.answer.figures[0])
            moved |= _is(verdict, "changed")
        elif _is(verdict, "changed"):
            names.setdefault(verdict.answer.brief, []).append(row.name)
    texts = [f"from {min(places):.2f} to {max(places):.2f} bits"] if moved else []
    texts += [f"{brief} with {', '.join(of)}" for brief, of in names.items()]
    return f"{family}: {'; '.join(texts)}" if texts else ""
