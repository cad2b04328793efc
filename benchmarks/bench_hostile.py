"""Hostile answers: how long each family takes, and that twice the text takes no more than about twice the time.

Run: python -m benchmarks.bench_hostile. Beyond 16 KiB nothing is read: 10 MB take longer by a copy and by the search
for the end of the reasoning. The last line is the time law's figure.
"""

import random
import string
import time
from collections.abc import Iterator

from tests.fuzz.vocabulary import FAMILIES

from habitus_runners.prompts.extract import LIMIT
from habitus_runners.prompts.fold import forms
from habitus_runners.prompts.match import Candidates
from habitus_runners.prompts.rankings import parse_answer

K, N = 50, 10
SIZES = (LIMIT // 4, LIMIT // 2, LIMIT, 10_000_000)


def titles(draw: random.Random, count: int) -> list[str]:
    words = ["".join(draw.choices(string.ascii_lowercase, k=draw.randint(3, 8))) for _ in range(400)]
    return [f"{' '.join(draw.choices(words, k=3)).title()} ({1950 + place % 50})" for place in range(count)]


def families(shown: list[str], draw: random.Random) -> Iterator[tuple[str, str]]:
    """Repetitions, and lists of titles that are almost right: each is compared with every candidate."""
    for name, unit in FAMILIES.items():
        yield name, unit * (SIZES[-1] // len(unit))
    misspelt = [title.replace(draw.choice(title[:5]), "qx", 1).replace("1", "7") for title in shown * 20]
    for name, before, after in (
        ("misspelt in JSON", '"', '",'),
        ("misspelt in bullets", "- ", "\n"),
        ("misspelt in cells", "| ", ""),
        ("misspelt before dashes", "- **", "** - so - it - is - and - will - be - for - ever\n"),
    ):
        once = "".join(f"{before}{title}{after}" for title in misspelt)
        yield name, "[" * ("JSON" in name) + once * (SIZES[-1] // len(once))


def seconds(text: str, candidates: Candidates, method: str) -> float:
    """The least of three readings that know no title yet."""
    took = []
    for _ in range(3):
        forms.cache_clear()
        start = time.thread_time()
        parse_answer(method, text, candidates, N)
        took.append(time.thread_time() - start)
    return min(took)


def main() -> None:
    draw = random.Random(0)  # noqa: S311 - draws letters, not keys
    shown = titles(draw, K)
    candidates = Candidates(shown)
    candidates.find("no such title at all")
    worst = 0.0
    print(f"{'ms for letters':<30}" + "".join(f"{size:>12,}" for size in SIZES) + f"{'16 Ki / 8 Ki':>14}")
    for method in ("text", "numbers"):
        for name, text in families(shown, draw):
            each = [seconds(text[:size], candidates, method) for size in SIZES]
            growth = each[2] / each[1]
            if each[2] > 0.001:  # below that the clock decides
                worst = max(worst, growth)
            print(
                f"{method + ', ' + name:<30}" + "".join(f"{1000 * took:>12.2f}" for took in each) + f"{growth:>14.2f}"
            )
    print(f"worst growth for twice the text, where it takes over 1 ms: {worst:.2f}")


if __name__ == "__main__":
    main()
