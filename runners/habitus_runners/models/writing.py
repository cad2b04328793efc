"""How a simulated model puts its list into words: ordered titles in, the text of an answer out."""

import json
import re
from collections.abc import Callable, Sequence

Writer = Callable[[Sequence[str]], str]

_REFUSAL = "I'm sorry, but I cannot predict what a group of people will do."
_ARTICLE = re.compile(r"^(?P<stem>.+), (?P<article>The|A|An)(?P<year> \(\d{4}\))?$")
_YEAR = re.compile(r" \(\d{4}\)$")
_REASONS = ("close to what they chose before", "popular with people like them", "a likely next choice")


def as_json(titles: Sequence[str]) -> str:
    """A JSON list, as the prompt asks."""
    return json.dumps(list(titles), ensure_ascii=False)


def as_prose(titles: Sequence[str]) -> str:
    """Numbered lines with quoted titles and reasons; one in three has its article moved, one in three lost its year."""
    spoken = (str, _with_article_first, _without_year)
    lines = [
        f"{number + 1}. {json.dumps(spoken[number % 3](title), ensure_ascii=False)} - {_REASONS[number % 3]}."
        for number, title in enumerate(titles)
    ]
    return "\n".join(["Here is my ranking, from most to least likely:", "", *lines, "", "I hope this is of use!"])


def as_refusal(titles: Sequence[str]) -> str:  # noqa: ARG001 - a writer, whatever the list was
    """A polite refusal without a list."""
    return _REFUSAL


def with_repeats(titles: Sequence[str]) -> str:
    """A JSON list of the same length in which every title comes twice: the first half of the list, doubled."""
    return as_json([titles[place // 2] for place in range(len(titles))])


def with_inventions(titles: Sequence[str]) -> str:
    """A JSON list in which every second title is replaced by one that exists nowhere."""
    return as_json([_invented(place) if place % 2 else title for place, title in enumerate(titles)])


def _invented(place: int) -> str:
    return f"Xylqor Vantrebid: Episode {9000 + place} (2149)"


def _with_article_first(title: str) -> str:
    return _ARTICLE.sub(lambda found: f"{found['article']} {found['stem']}{found['year'] or ''}", title)


def _without_year(title: str) -> str:
    return _YEAR.sub("", title)
