"""An answer becomes a ranking of candidates, with a verdict and the level of every match (method, section 10)."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from habitus_runners.prompts.extract import Item, Mentions, capped, containers, whole_json
from habitus_runners.prompts.match import EXACT, NONE, Candidates, Match

PARSER = "titles-1"
OPENING = 400
REFUSALS = (
    "i can't",
    "i cannot",
    "i can not",
    "i won't",
    "i'm sorry",
    "i am sorry",
    "i'm unable",
    "i am unable",
    "i'm not able",
    "i am not able",
    "i'm not comfortable",
    "i must decline",
    "i apologize",
    "i apologise",
    "unable to",
    "as an ai",
)


class Parsed(NamedTuple):
    """What an answer meant.

    Args:
        ranking: candidate positions, most likely first; compact, padded with -1.
        verdict: a full list is ``ok`` (one JSON list of exactly so many exact titles) or ``repaired``. Otherwise why it
            is not full, the first that applies: ``truncated``, ``unknown item``, ``duplicate``, ``short``; with no
            candidate at all: ``truncated``, ``refusal``, ``unknown item``, ``empty``.
        levels: how each slot matched (see match.Candidates), 0 = empty slot.
    """

    ranking: tuple[int, ...]
    verdict: str
    levels: tuple[int, ...]


class Chosen(NamedTuple):
    """The candidates that some mentions name, each once, and how many mentions were of no use."""

    positions: list[int]
    levels: list[int]
    repeated: int
    unknown: int


def parse(text: str, titles: Sequence[str], length: int, finish_reason: str = "stop") -> Parsed:
    """The ranking that one answer gives of ``titles``, the task's candidates in their order.

    >>> parse('["The Matrix (1999)", "Heat (1995)"]', ["Heat (1995)", "Alien (1979)", "Matrix, The (1999)"], 2)
    Parsed(ranking=(2, 0), verdict='repaired', levels=(3, 1))
    """
    return parse_for(text, Candidates(titles), length, finish_reason)


def parse_for(text: str, candidates: Candidates, length: int, finish_reason: str = "stop") -> Parsed:
    """The same for candidates whose index stands already: one serves all answers to a task."""
    answer = capped(text)
    mentions = whole_json(answer)
    if mentions:
        chosen = chosen_from(mentions.items, candidates.find, length)
    else:
        mentions, chosen = _best(answer, candidates, length)
    return verdict_of(mentions, chosen, length, answer, finish_reason)


def _best(answer: str, candidates: Candidates, length: int) -> tuple[Mentions[str], Chosen]:
    """A JSON list that names any candidate stands; else quotes or lines, whichever names more candidates."""
    read: list[tuple[Mentions[str], Chosen]] = []
    for mentions in containers(answer, length):
        chosen = chosen_from(mentions.items, candidates.find, length)
        read.append((mentions, chosen))
        if len(chosen.positions) == length or (chosen.positions and mentions.kind == "json"):
            break
    mentions, chosen = max(read, key=lambda pair: (len(pair[1].positions), bool(pair[0].items)))
    return mentions._replace(cut=any(pair[0].cut for pair in read)), chosen


def chosen_from(items: Iterable[Item], find: Callable[[Item], Match], length: int) -> Chosen:
    """The first ``length`` candidates named. Of candidates with equal titles, the next mention means the next one."""
    chosen: dict[int, int] = {}
    repeated = unknown = 0
    for item in items:
        if len(chosen) == length:
            break
        positions, level = find(item)
        for position in positions:
            if position not in chosen:
                chosen[position] = level
                break
        else:
            repeated += bool(positions)
            unknown += not positions
    return Chosen(list(chosen), list(chosen.values()), repeated, unknown)


def verdict_of(mentions: Mentions[Item], chosen: Chosen, length: int, answer: str, finish_reason: str) -> Parsed:
    """The ranking that was chosen, and the verdict on the answer that it was chosen from."""
    empty = length - len(chosen.positions)
    if not empty:
        exact = mentions.kind == "pure" and len(mentions.items) == length and chosen.levels == [EXACT] * length
        return Parsed(tuple(chosen.positions), "ok" if exact else "repaired", tuple(chosen.levels))
    verdict = "truncated" if finish_reason == "length" else _lacking(mentions, chosen, answer)
    return Parsed((*chosen.positions, *[-1] * empty), verdict, (*chosen.levels, *[NONE] * empty))


def _lacking(mentions: Mentions[Item], chosen: Chosen, answer: str) -> str:
    if mentions.cut:
        return "truncated"
    if not chosen.positions and (mentions.kind in {"quotes", "lines"} and _refuses(answer)):
        return "refusal"
    if chosen.unknown:
        return "unknown item"
    if not chosen.positions:
        return "empty"
    return "duplicate" if chosen.repeated else "short"


def parse_strictly(text: str, candidates: Candidates, length: int, finish_reason: str = "stop") -> Parsed:
    """Titles count only as they are shown, in an answer that is one JSON list and nothing else.

    >>> parse_strictly('["The Matrix (1999)", "Heat (1995)"]', Candidates(["Heat (1995)", "Matrix, The (1999)"]), 2)
    Parsed(ranking=(0, -1), verdict='unknown item', levels=(1, 0))
    """
    answer = capped(text)
    mentions = whole_json(answer) or Mentions([], "lines")
    return verdict_of(mentions, chosen_from(mentions.items, candidates.literal, length), length, answer, finish_reason)


def _refuses(answer: str) -> bool:
    opening = answer[:OPENING].casefold().replace("\u2019", "'")
    return any(phrase in opening for phrase in REFUSALS)
