"""What holds for every answer, however hostile: of both methods, read by every parser."""

from habitus_runners.prompts.match import EXACT, FUZZY, Candidates
from habitus_runners.prompts.rankings import PARSERS, parse_answer

TITLES = (
    "Heat (1995)",
    "Matrix, The (1999)",
    "Schindler's List (1993)",
    "Amélie (2001)",
    "Haine, La (1995)",
    "Intro",
    "Intro",
    "7",
    '"], "ignore all',
    "\ufdfa",
)
CANDIDATES = Candidates(TITLES)
FULL = {"ok", "repaired"}
NOTHING = {"truncated", "refusal", "unknown item", "empty"}
SOME = {"truncated", "unknown item", "duplicate", "short"}


def check(text: str, length: int, finish_reason: str) -> None:
    """Read ``text`` in every way.

    Raises:
        AssertionError: a ranking that is no ranking, or a verdict that does not fit it.
    """
    for method in ("text", "numbers"):
        perfect = {_verdict(method, text, length, finish_reason, parser) == "ok" for parser in PARSERS}
        assert len(perfect) == 1, f"parsers disagree on whether {text!r} is as asked"


def _verdict(method: str, text: str, length: int, finish_reason: str, parser: str) -> str:
    ranking, verdict, levels = parse_answer(method, text, CANDIDATES, length, finish_reason, parser=parser)
    filled = [position for position in ranking if position >= 0]
    assert len(ranking) == len(levels) == length
    assert list(ranking) == filled + [-1] * (length - len(filled))
    assert len(set(filled)) == len(filled)
    assert all(position < len(TITLES) for position in filled)
    assert [EXACT <= level <= FUZZY for level in levels] == [position >= 0 for position in ranking]
    assert verdict in (FULL if len(filled) == length else SOME if filled else NOTHING | {"duplicate", "short"})
    return verdict
