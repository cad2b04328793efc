"""The reading of answers again, slow and obvious: every title is tried at every level, letter by letter."""

import unicodedata

LETTERS = {"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
ARTICLES = ("the", "a", "an", "la", "le", "les", "el", "il")


def ranking(named: list[tuple[list[int], int]], length: int) -> tuple[list[int], str, list[int]]:
    """Positions, verdict and levels of an answer that is the list asked for: what each entry names, and how surely."""
    places: list[int] = []
    levels: list[int] = []
    unknown = repeated = False
    for positions, level in named:
        free = [position for position in positions if position not in places]
        if len(places) < length and free:
            places.append(free[0])
            levels.append(level)
        elif len(places) < length:
            unknown = unknown or not positions
            repeated = repeated or bool(positions)
    if len(places) == length:
        return places, "ok" if len(named) == length and set(levels) <= {1} else "repaired", levels
    why = "unknown item" if unknown else "empty" if not places else "duplicate" if repeated else "short"
    return places + [-1] * (length - len(places)), why, levels + [0] * (length - len(levels))


def number(entry: object, candidates: int) -> tuple[list[int], int]:
    """What one entry of a list of numbers names: 1 is the first candidate."""
    level = 1 if type(entry) is int else 2
    text = str(entry).strip()
    if type(entry) is float:
        text = text.removesuffix(".0")
    if type(entry) is str:
        text = text.removeprefix("#").removesuffix(".").removesuffix(")").strip()
    known = type(entry) in {int, float, str} and text in {str(number) for number in range(1, candidates + 1)}
    return ([int(text) - 1], level) if known else ([], 0)


def find(mention: str, titles: list[str]) -> tuple[int, int]:
    """Position and level of the one title that ``mention`` names, (-1, 0) for none. Reads no list marks."""
    for level, same in enumerate((_exact, _folded, _plain, _moved, _fuzzy)):
        named = [position for position, title in enumerate(titles) if same(mention, title)]
        if len(named) == 1:
            return named[0], (1, 2, 2, 3, 4)[level]
    return -1, 0


def _exact(one: str, other: str) -> bool:
    return one == other


def _folded(one: str, other: str) -> bool:
    return fold(one) == fold(other) != ""


def _plain(one: str, other: str) -> bool:
    return strip(fold(one)) == strip(fold(other)) != ""


def _moved(one: str, other: str) -> bool:
    return bare(one) == bare(other) != "" and years_agree(one, other)


def _fuzzy(one: str, other: str) -> bool:
    here, there = bare(one), bare(other)
    if len(here) < 8 or not years_agree(one, other) or numbers(here) != numbers(there):
        return False
    return 2 * common(here, there) / (len(here) + len(there)) >= 0.9


def fold(text: str) -> str:
    """Case, punctuation and spaces folded."""
    out = ""
    for letter in unicodedata.normalize("NFKC", text).casefold():
        if letter in "'\u2019\u2018`\u00b4":
            continue
        if letter == "&":
            out += " and "
        elif unicodedata.category(letter)[0] in "ZPC":
            out += " "
        else:
            out += letter
    while "  " in out:
        out = out.replace("  ", " ")
    return out.strip()


def strip(text: str) -> str:
    """Without accents."""
    text = "".join(LETTERS.get(letter, letter) for letter in text)
    return "".join(
        letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn"
    ).strip()


def years_agree(one: str, other: str) -> bool:
    """Whether they give the same year, or one gives none."""
    return year(one) == year(other) or "" in {year(one), year(other)}


def year(title: str) -> str:
    """The digits of a year in brackets at the end."""
    end = title.rstrip()
    return end[-5:-1] if end[-6:-5] == "(" and end.endswith(")") and end[-5:-1].isdigit() else ""


def bare(title: str) -> str:
    """Article in front, year dropped, folded, without accents."""
    text = title.rstrip()
    if year(title):
        text = text[:-6].rstrip()
    for article in ARTICLES:
        tail = f", {article}"
        if text.lower().endswith(tail) and len(text) > len(tail):
            text = f"{article} {text[: -len(tail)]}"
            break
    return strip(fold(text))


def numbers(text: str) -> list[str]:
    """Words with a digit, and Roman numerals."""
    return [
        word
        for word in text.split()
        if any(letter.isdigit() for letter in word) or all(letter in "ivx" for letter in word)
    ]


def common(one: str, other: str) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for letter in one:
        before = row
        row = [0]
        for place, twin in enumerate(other):
            row.append(before[place] + 1 if letter == twin else max(before[place + 1], row[place]))
    return row[-1]
