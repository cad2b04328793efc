"""MovieLens-1M: the paper's counts on the real files, and every kind of damage on small invented ones."""

import os
import zipfile
from pathlib import Path

import polars as pl
import pytest

from habitus_runners.datasets import movielens
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError

REAL = Path(os.environ.get("HABITUS_DATA", "")) / "ml-1m.zip"

USERS = ["1::F::1::10::1", "2::M::56::16::2", "3::M::56::16::3", "4::M::25::0::4"]
FILMS = ["10::Größe, The (La taille ) (1990)::Drama", "20::B (1991)::Comedy|War", "30::C (1992)::War"]
RATINGS = ["1::10::5::9", "2::10::1::9", "2::20::3::9", "3::30::4::9", "4::20::2::9"]


def write(folder: Path, **changes: list[str]) -> Path:
    files = {"users": USERS, "movies": FILMS, "ratings": RATINGS} | changes
    for name, rows in files.items():
        (folder / f"{name}.dat").write_bytes("".join(row + "\n" for row in rows).encode("latin-1"))
    return folder


def load(folder: Path, smallest: int = 1) -> Dataset:
    return movielens.load(folder, min_users_per_group=smallest)


def found(dataset: Dataset) -> dict[str, tuple[int, str]]:
    return {finding.kind: (finding.count, finding.example) for finding in dataset.findings}


def test_a_clean_folder_has_no_findings_and_loses_only_occupation_other(tmp_path: Path) -> None:
    dataset = load(write(tmp_path))
    assert dataset.findings == ()
    assert dataset.users.rows() == [
        ("1", "under 18", "female", "K-12 student"),
        ("2", "56+", "male", "self-employed"),
        ("3", "56+", "male", "self-employed"),
    ]
    assert dataset.items["title"].to_list() == ["Größe, The (La taille) (1990)", "B (1991)", "C (1992)"]
    assert dataset.interactions.rows() == [(0, 0, 5.0), (1, 0, 1.0), (1, 1, 3.0), (2, 2, 4.0)]
    assert [level.name for level in dataset.levels][-1] == "age x gender x occupation"


def test_small_groups_are_left_out(tmp_path: Path) -> None:
    dataset = load(write(tmp_path), smallest=2)
    assert dataset.users["user_id"].to_list() == ["2", "3"]
    assert dataset.facts["groups"] == 1
    assert dataset.items.height == 3


@pytest.mark.parametrize(
    ("file", "row", "kind", "example"),
    [
        ("ratings", "1::20::5::9::9", "malformed line (not 4 fields)", "ratings.dat line 6: 1::20::5::9::9"),
        ("ratings", "1::20", "malformed line (not 4 fields)", "ratings.dat line 6: 1::20"),
        ("ratings", "", "malformed line (not 4 fields)", "ratings.dat line 6: "),
        ("ratings", "77::10::5::9", "unknown user", "ratings.dat line 6: 77::10::5::9"),
        ("ratings", "1::77::5::9", "unknown item", "ratings.dat line 6: 1::77::5::9"),
        ("ratings", "1::10::2::9", "duplicate (user, item) pair, first kept", "ratings.dat line 6: 1::10::2::9"),
        ("ratings", "1::20::6::9", "rating not 1-5", "ratings.dat line 6: 1::20::6::9"),
        ("ratings", "1::20::x::9", "rating not 1-5", "ratings.dat line 6: 1::20::x::9"),
        ("ratings", "1::20::nan::9", "rating not 1-5", "ratings.dat line 6: 1::20::nan::9"),
        ("users", "1::M::25::1::1", "duplicate user", "users.dat line 5: 1::M::25::1::1"),
        ("users", "5::M::26::1::1", "unknown age code", "users.dat line 5: 5::M::26::1::1"),
        ("users", "5::X::25::1::1", "unknown gender code", "users.dat line 5: 5::X::25::1::1"),
        ("users", "5::M::25::21::1", "unknown occupation code", "users.dat line 5: 5::M::25::21::1"),
        ("movies", "20::Again::War", "duplicate item", "movies.dat line 4: 20::Again::War"),
        ("movies", "40::::War", "empty title", "movies.dat line 4: 40::::War"),
    ],
)
def test_one_wrong_line_is_one_finding_and_changes_nothing_else(
    file: str, row: str, kind: str, example: str, tmp_path: Path
) -> None:
    clean = load(write(tmp_path))
    rows = {"users": USERS, "movies": FILMS, "ratings": RATINGS}[file]
    dataset = load(write(tmp_path, **{file: [*rows, row]}))
    assert found(dataset) == {kind: (1, example)}
    assert dataset.fingerprint == clean.fingerprint


def test_a_utf_8_copy_reads_the_same_and_is_said(tmp_path: Path) -> None:
    clean = load(write(tmp_path))
    (tmp_path / "movies.dat").write_bytes("".join(row + "\n" for row in FILMS).encode())
    dataset = load(tmp_path)
    assert dataset.fingerprint == clean.fingerprint
    assert list(found(dataset)) == ["encoding"]


def test_a_mark_before_latin_1_and_utf_8_lines_among_it_change_nothing(tmp_path: Path) -> None:
    clean = load(write(tmp_path))
    accented = "20::Bé (1991)::Comedy|War"
    latin = load(write(tmp_path, movies=[FILMS[0], accented, FILMS[2]]))
    assert latin.findings == ()
    (tmp_path / "movies.dat").write_bytes(b"\xef\xbb\xbf" + "\n".join(FILMS).encode("latin-1"))
    marked = load(tmp_path)
    assert marked.fingerprint == clean.fingerprint
    assert found(marked) == {
        "byte order mark": (1, "movies.dat: expected latin-1, got a UTF-8 byte order mark; left out")
    }
    lines = [FILMS[0].encode("latin-1"), accented.encode(), FILMS[2].encode()]
    (tmp_path / "movies.dat").write_bytes(b"\n".join(lines))
    mixed = load(tmp_path)
    assert mixed.fingerprint == latin.fingerprint
    example = f"movies.dat line 2: expected latin-1, got UTF-8; read as UTF-8: {accented}"
    assert found(mixed) == {"encoding": (1, example)}


def test_a_control_character_leaves_the_title(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, movies=[*FILMS, "40::D\x1b (1993)::War"]))
    assert dataset.items["title"][3] == "D (1993)"
    assert list(found(dataset)) == ["control character in title, removed"]


def test_a_zip_gives_the_same_and_says_its_checksum(tmp_path: Path) -> None:
    clean = load(write(tmp_path))
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("users.dat", "movies.dat", "ratings.dat"):
            archive.write(tmp_path / name, f"ml-1m/{name}")
    dataset = load(path)
    assert dataset.fingerprint == clean.fingerprint
    assert found(dataset)["checksum"][1].startswith(f"mine.zip: expected md5 {movielens.ZIP.md5}, got ")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(HabitusError, match=r"mine\.zip: expected a readable"):
        load(path)


def test_nobody_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match=r"none left; malformed line \(not 4 fields\): 1 \(ratings.dat line 1: x\)"):
        load(write(tmp_path, ratings=["x"]))
    with pytest.raises(HabitusError, match="none left"):
        load(write(tmp_path), smallest=9)


@pytest.mark.parametrize("name", ["users", "movies", "ratings"])
def test_an_empty_file_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match=rf"expected lines in {name}\.dat, got an empty file"):
        load(write(tmp_path, **{name: []}))


def test_an_option_out_of_range_is_named(tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match="option min_users_per_group"):
        load(write(tmp_path), smallest=0)


@pytest.mark.skipif(not REAL.is_file(), reason="needs ml-1m.zip in HABITUS_DATA")
def test_the_real_files_give_the_counts_of_the_method() -> None:
    dataset = movielens.load(REAL)
    assert dict(dataset.facts) == {
        "users in users.dat": 6040,
        "films in movies.dat": 3883,
        "ratings in ratings.dat": 1_000_209,
        "users of occupation other": 711,
        "groups": 51,
        "ages": 7,
        "genders": 2,
        "occupations": 17,
        "users": 3727,
        "ratings": 620_538,
        "rated films": 3630,
    }
    assert {finding.kind for finding in dataset.findings} <= {"checksum"}
    assert dataset.items.height == 3883
    assert not dataset.items["title"].str.contains(r"\s\)").any()
    assert dataset.items["title"].str.contains("Kådisbellan").sum() == 1
    assert dataset.users.group_by(dataset.attributes).len()["len"].min() == 30
    assert dataset.interactions.select(pl.col("value").min(), pl.col("item").max()).row(0) == (1.0, 3882)
