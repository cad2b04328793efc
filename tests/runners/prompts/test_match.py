"""Which candidate a mention names: the right one or none, and the same as the slow twin says."""

import random
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import parsing

from habitus_runners.prompts.fold import forms
from habitus_runners.prompts.match import FUZZY, MIN_FUZZY, NONE, Candidates

TITLES = [
    "Matrix, The (1999)",
    "Heat (1995)",
    "Nutty Professor, The (1963)",
    "Nutty Professor, The (1996)",
    "Rocky II (1979)",
    "Rocky III (1982)",
    "Amélie (2001)",
    "Alien (1979)",
    "Haine, La (1995)",
    "Schindler's List (1993)",
    "Harold & Maude (1971)",
    "Postino, Il (The Postman) (1994)",
    "L'Âge d'or (1930)",
    "Friday the 13th Part V: A New Beginning (1985)",
    "Star Wars: Episode IV - A New Hope (1977)",
    "Shall We Dance (1937)",
    "Shall We Dance? (1996)",
    "2001: A Space Odyssey (1968)",
    "Résumé",
    "Resume",
    "!!!",
]

CASES = [
    ("Matrix, The (1999)", 0, 1),
    ("matrix the 1999", 0, 2),
    ("  MATRIX, THE  (1999 ) ", 0, 2),
    ("The Matrix (1999)", 0, 3),
    ("The Matrix", 0, 3),
    ("the matrix [1999]", 0, 3),
    ("The Matrix (2003)", -1, 0),
    ("The Matrx (1999)", 0, 4),
    ("The Nutty Professor", -1, 0),
    ("The Nutty Professor (1963)", 2, 3),
    ("Rocky III", 5, 3),
    ("Rocky IV (1985)", -1, 0),
    ("Amelie (2001)", 6, 2),
    ("Ame\u0301lie (2001)", 6, 2),
    ("Aliens (1986)", -1, 0),
    ("Aliens", -1, 0),
    ("Alien - Resurrection (1997)", -1, 0),
    ("Alien (1979) - a classic", 7, 2),
    ("Alien (1979): in space - no one", 7, 2),
    ("La Haine", 8, 3),
    ("Schindlers List (1993)", 9, 2),
    ("Schindler\u2019s List (1993)", 9, 2),
    ("Shindler's List (1993)", 9, 4),
    ("Shindler's List (1994)", -1, 0),
    ("Harold and Maude (1971)", 10, 2),
    ("Harold &amp; Maude (1971)", 10, 2),
    ("Il Postino (The Postman) (1994)", 11, 3),
    ("L'Age d'or", 12, 3),
    ("Friday the 13th Part VI: A New Beginning (1985)", -1, 0),
    ("Star Wars: Episode IV - A New Hope (1977)", 14, 1),
    ("Star Wars: Episode IV – A New Hope", 14, 3),
    ("Star Wars", -1, 0),
    ("Shall We Dance", -1, 0),
    ("Shall We Dance (1996)", 16, 2),
    ("2001: A Space Odyssey", 17, 3),
    ("Résumé", 18, 1),
    ("résumé", 18, 2),
    ("resume", 19, 2),
    ("Resumé", -1, 0),
    ("!!!", 20, 1),
    ("???", -1, 0),
    ("3. **Heat (1995)**", 1, 2),
    ("**Heat** (1995) – a heist", 1, 3),
    ("| 4 | Heat (1995) | tense |", 1, 2),
    ("", -1, 0),
    ("(1995)", -1, 0),
]


@pytest.mark.parametrize(("mention", "position", "level"), CASES)
def test_a_mention_names_what_a_reader_would_say(mention: str, position: int, level: int) -> None:
    match = Candidates(TITLES).find(mention)
    assert (next(iter(match.positions), -1), match.level) == (position, level)


def test_a_misspelt_title_is_found_from_eight_characters_and_only_where_one_fits() -> None:
    assert MIN_FUZZY == 8
    assert Candidates(["Abcdefghi"]).find("Abcdefgh").level == FUZZY
    assert Candidates(["Abcdefgh"]).find("Abcdefg").level == NONE
    assert Candidates(["Abcdefghi Jklmno"]).find("Abcdefghi Jklmnq").level == FUZZY
    assert Candidates(["Abcdefghi Jklmno", "Abcdefghi Jklmnp"]).find("Abcdefghi Jklmnq").level == NONE


def test_a_misspelt_title_has_nine_of_ten_letters_right() -> None:
    assert Candidates(["Abcdefghij"]).find("Abcdefghix").level == FUZZY
    assert Candidates(["Abcdefghijklmnopqrst"]).find("Abcdefghijklmnopqxyz").level == NONE


def test_equal_titles_are_one_title_with_several_positions() -> None:
    assert Candidates(["Intro", "Heat", "Intro"]).find("intro").positions == [0, 2]


def test_titles_match_as_stored_and_as_shown() -> None:
    index = Candidates(["A\nB\u200b", "x" * 300])
    assert [index.find(mention).positions for mention in ("A\nB\u200b", "A B", "x" * 300, "x" * 199 + "…")] == [
        [0],
        [0],
        [1],
        [1],
    ]
    assert index.find("x" * 299).level == 0


words = st.sampled_from(["The", "Red", "Réd", "Night", "Nights", "Fall", "II", "III", "of", "2", "Æon", "d'or", "&"])
years = st.sampled_from(["", " (1990)", " (1991)", "(1990 )"])
articles = st.sampled_from(["", ", The", ", La", ", A"])
made = st.builds(
    lambda parts, article, year: " ".join(parts) + article + year,
    st.lists(words, min_size=1, max_size=5),
    articles,
    years,
)
noise = st.sampled_from(
    [str, str.lower, str.upper, lambda t: t.replace("e", "", 1), lambda t: t.replace(",", ""), lambda t: f" {t}!"]
)


@given(st.lists(made, min_size=1, max_size=8, unique=True), made, noise, st.data())
def test_agrees_with_the_slow_twin(titles: list[str], stranger: str, noisy: object, data: st.DataObject) -> None:
    titles = [title.replace("(1990 )", " (1990)") for title in titles]
    titles = list(dict.fromkeys(titles))
    mention = noisy(data.draw(st.sampled_from([*titles, stranger])))  # type: ignore[operator]
    mention = mention.replace("(1990 )", " (1990)")
    match = Candidates(titles).find(mention)
    assert (next(iter(match.positions), -1), match.level) == parsing.find(mention, titles)


@given(st.text(max_size=60))
def test_forms_are_stable(text: str) -> None:
    first = forms(text)
    assert forms(first.folded).folded == first.folded
    assert forms(first.plain).plain == first.plain


def test_every_spelling_of_a_real_title_is_right_or_nothing(real_data: Path) -> None:
    with zipfile.ZipFile(real_data / "ml-1m.zip") as archive:
        lines = archive.read("ml-1m/movies.dat").decode("latin-1").splitlines()
    titles = [line.split("::")[1] for line in lines]
    draw = random.Random(5)  # noqa: S311 - draws titles, not keys
    found = tried = 0
    for _ in range(60):
        chosen = draw.sample(titles, 50)
        index = Candidates(chosen)
        for position, title in enumerate(chosen):
            for spelling in _spellings(title):
                positions = index.find(spelling).positions
                assert list(positions) in ([], [position]), (spelling, title)
                found, tried = found + len(positions), tried + 1
        for stranger in set(draw.sample(titles, 50)) - set(chosen):
            assert not index.find(stranger).positions
    assert found > 0.99 * tried


def _spellings(title: str) -> list[str]:
    undated = re.sub(r"\s*\(\d{4} ?\)$", "", title)
    moved = re.sub(r"^(.*), (The|A|An|La|Les)( \(\d{4} ?\))$", r"\2 \1\3", title)
    return [title.lower(), undated, moved, undated.upper(), f"7. **{title}** - a film"]
