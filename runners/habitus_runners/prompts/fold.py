"""The forms under which two spellings of a title are the same. Knows no candidates."""

import html
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from habitus_runners.prompts.titles import visible

_APOSTROPHES = str.maketrans(dict.fromkeys("'\u2019\u2018`\u00b4\u02bc\u2032"))
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})
_YEAR = re.compile(r"[(\[]\s*(\d{4})\s*[)\]]\s*$")
LONGEST = 400  # one letter (U+FDFA) can become 18, and forms are kept

_ARTICLES = "the|an?|l[ae]s?|l['\u2019]|il|lo|gli|una?|une|el|los|der|die|das|ein|eine|den|det|de|het|os?|as"
_ARTICLE = re.compile(rf"^(.+), ({_ARTICLES})(?=\s*(?:\(|$))", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:\w*\d\w*|[ivx]+)\b")


class Forms(NamedTuple):
    """One title, ever more loosely spelt."""

    folded: str
    """Unicode, case, punctuation and spaces folded; accents kept."""
    plain: str
    """The same without accents."""
    bare: str
    """The same with the article in front and the year dropped."""
    year: str
    """The year that was dropped, or ''."""

    @property
    def numbers(self) -> list[str]:
        """Digits and Roman numerals of the bare form: what tells a film from its sequel."""
        return _NUMBER.findall(self.bare)


@lru_cache(maxsize=65_536)
def forms(text: str) -> Forms:
    """All forms of ``text``.

    >>> forms("Haine, La (1995)")
    Forms(folded='haine la 1995', plain='haine la 1995', bare='la haine', year='1995')
    """
    text = html.unescape(visible(text)) if "&" in text else visible(text)
    year = _YEAR.search(text)
    undated = text[: year.start()].rstrip() if year else text
    whole = folded(text)
    return Forms(whole, _plain(whole), _plain(folded(_fronted(undated))), year[1] if year else "")


def folded(text: str) -> str:
    """``text`` with Unicode form, case, punctuation and spaces folded.

    Apostrophes vanish and ``&`` is "and"; symbols ($ + =) stay, because some titles consist of nothing else.
    """
    text = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold().replace("&", " and ")[:LONGEST]
    letters = text if text.isalnum() else "".join(" " if _is_space(letter) else letter for letter in text)
    return unicodedata.normalize("NFKC", " ".join(letters.split()))


def _is_space(letter: str) -> bool:
    return not letter.isalnum() and unicodedata.category(letter)[0] in "PZC"


def _plain(text: str) -> str:
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    letters = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return unicodedata.normalize("NFKC", " ".join(letters.split()))


def _fronted(text: str) -> str:
    """``Matrix, The`` as ``The Matrix``."""
    moved = _ARTICLE.match(text)
    if not moved:
        return text
    body, article = moved.groups()
    space = "" if article.endswith(("'", "\u2019")) else " "
    return f"{article}{space}{body}{text[moved.end() :]}"
