"""Last.fm-1K: invented logs of its format, the real profile, and a log of full width."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from habitus_runners.datasets import archive, lastfm
from habitus_runners.datasets.countries import CONTINENT
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError

REAL = Path(os.environ.get("HABITUS_DATA", "")) / "lastfm-1k"

HEADER = "#id\tgender\tage\tcountry\tregistered"
PROFILE = ["u1\tm\t\tPeru\t", "u2\tf\t22\tPoland\t", "u3\t\t\tUnited Kingdom\t", "u4\tm\t\tJapan\t", "u5\tf\t\t\t"]
TIME = "2009-05-04T23:08:57Z"


def play(user: str, artist: str, track: str, time: str = TIME) -> str:
    return f"{user}\t{time}\t\t{artist}\t\t{track}"


LOG = [
    *[play("u1", "A", "x")] * 3,
    play("u1", "A", "y"),
    play("u2", "A", "x"),
    play("u2", "B", "x"),
    play("u3", "B", "x"),
    play("u4", "B", "x"),
    play("u5", "B", "x"),
]


def write(folder: Path, log: list[str] = LOG, profile: list[str] = PROFILE) -> Path:
    (folder / lastfm.EVENTS.file).write_text("".join(row + "\n" for row in log), encoding="utf-8", newline="")
    text = "".join(row + "\n" for row in [HEADER, *profile])
    (folder / lastfm.PROFILE.file).write_text(text, encoding="utf-8")
    return folder


def load(folder: Path, **options: object) -> Dataset:
    return lastfm.load(folder, **({"min_plays": 1, "min_listeners": 1} | options))  # type: ignore[arg-type]


def found(dataset: Dataset) -> dict[str, tuple[int, str]]:
    return {finding.kind: (finding.count, finding.example) for finding in dataset.findings}


EXPECTED = {"checksum", "user without a country", "user of unknown gender"}


def test_plays_are_counted_per_user_and_track(tmp_path: Path) -> None:
    dataset = load(write(tmp_path))
    assert dataset.users.rows() == [
        ("u1", "Peru", "South America", "male"),
        ("u2", "Poland", "Europe", "female"),
        ("u3", "United Kingdom", "United Kingdom", None),
    ]
    assert dataset.items["title"].to_list() == ["A - x", "A - y", "B - x"]
    assert dataset.interactions.rows() == [(0, 0, 3.0), (0, 1, 1.0), (1, 0, 1.0), (1, 2, 1.0), (2, 2, 1.0)]
    assert found(dataset).keys() == EXPECTED
    assert [level.name for level in dataset.levels] == ["none", "country", "continent", "gender", "gender x continent"]


def test_artists_are_the_alternative(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, [*LOG, play("u1", "C", "")]), items="artists")
    assert dataset.items["title"].to_list() == ["A", "B", "C"]
    assert dataset.interactions.rows()[0] == (0, 0, 4.0)
    assert dataset.domain.item == "artist"


@pytest.mark.parametrize(
    ("option", "users", "titles"),
    [
        ({"min_plays": 2}, ["u1", "u2"], ["A - x", "A - y", "B - x"]),
        ({"min_plays": 4}, ["u1"], ["A - x", "A - y"]),
        ({"min_listeners": 2}, ["u1", "u2", "u3"], ["A - x", "B - x"]),
    ],
)
def test_each_limit_counts_what_it_says(
    option: dict[str, int], users: list[str], titles: list[str], tmp_path: Path
) -> None:
    dataset = load(write(tmp_path), **option)
    assert dataset.users["user_id"].to_list() == users
    assert dataset.items["title"].to_list() == titles


def test_users_of_small_countries_are_left_out(tmp_path: Path) -> None:
    profile = [*PROFILE, "u6\tm\t\tPoland\t"]
    dataset = load(write(tmp_path, [*LOG, play("u6", "A", "x")], profile), min_users_per_country=2)
    assert dataset.users["user_id"].to_list() == ["u2", "u6"]


@pytest.mark.parametrize(
    ("row", "kind", "plays"),
    [
        ("u1\tonly", "malformed line (not 6 fields)", 0),
        (play("u1", "A", "x") + "\tmore", "malformed line (not 6 fields)", 0),
        (play("u77", "A", "x"), "unknown user", 0),
        (play("u1", "", "x"), "artist without a name", 0),
        (play("u1", "A", "  "), "track without a name", 0),
        (play("u1", "A", "x", "yesterday"), "timestamp not understood, play kept", 1),
        (play("u1", "A", "\x07x\r"), "control character in track, removed", 1),
    ],
)
def test_a_wrong_line_is_counted_and_named(row: str, kind: str, plays: int, tmp_path: Path) -> None:
    dataset = load(write(tmp_path, [LOG[0], row, *LOG[1:]]))
    assert found(dataset).keys() == EXPECTED | {kind}
    count, example = found(dataset)[kind]
    assert count == 1
    assert example.startswith(f"{lastfm.EVENTS.file} line 2: u")
    assert dataset.items["title"][0] == "A - x"
    assert dataset.interactions.row(0) == (0, 0, 3.0 + plays)


def test_an_unclosed_quote_swallows_nothing(tmp_path: Path) -> None:
    log = [play("u1", '"A', "x"), play("u1", "B", 'y"'), play("u1", "C", '"z"')]
    dataset = load(write(tmp_path, log))
    assert dataset.items["title"].to_list() == ['"A - x', 'B - y"', 'C - "z"']
    assert found(dataset).keys() == EXPECTED


def test_a_latin_1_line_is_counted(tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / lastfm.EVENTS.file).open("ab") as file:
        file.write(play("u1", "Mélo", "z").encode("latin-1") + b"\n")
    assert found(load(tmp_path))["encoding"][0] == 1


def test_the_profile_is_checked(tmp_path: Path) -> None:
    profile = [*PROFILE, PROFILE[0], "u8\tm\t\tAtlantis\t", "short"]
    kinds = found(load(write(tmp_path, profile=profile)))
    assert {"duplicate user", "country without a continent", "malformed line (not 5 fields)"} <= kinds.keys()
    assert kinds["user without a country"][0] == 1


def test_the_result_does_not_depend_on_batches_or_merging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path, 3000)
    whole = load(tmp_path)
    monkeypatch.setattr(archive.batches, "__defaults__", (1000,))
    monkeypatch.setattr(lastfm, "PILE", 50)
    parts = load(tmp_path)
    assert parts.fingerprint == whole.fingerprint
    assert parts.facts == whole.facts
    assert parts.findings == whole.findings


def test_the_archive_gives_the_same(tmp_path: Path) -> None:
    folder = load(write(tmp_path))
    path = tmp_path / "lastfm-dataset-1K.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name in (lastfm.EVENTS.file, lastfm.PROFILE.file):
            packed.add(tmp_path / name, f"lastfm-dataset-1K/{name}")
    assert load(path).fingerprint == folder.fingerprint


def test_errors_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match=r"expected --source with lastfm-dataset-1K\.tar\.gz"):
        lastfm.load(None)
    with pytest.raises(HabitusError, match="none left"):
        load(write(tmp_path), min_plays=99)
    with pytest.raises(HabitusError, match=r"expected lines in userid-timestamp-.*\.tsv, got an empty file"):
        load(write(tmp_path, []))
    with pytest.raises(HabitusError, match="option items"):
        load(tmp_path, items="albums")


def generate(folder: Path, events: int) -> int:
    """A log of the official width: 992 users, sorted by user; the plays of a track fall with its rank."""
    rng = np.random.default_rng(0)
    users = np.sort(rng.integers(0, 992, events))
    ranks = np.minimum((rng.random(events) ** -1.5).astype(np.int64), 100_000)
    rows = zip(users.tolist(), ranks.tolist(), strict=True)
    tail = "f1b1cf71-bd35-4e99-8624-24a6e15f133a"
    log = [f"user_{user:06d}\t{TIME}\t{tail}\tArtist {rank % 5000}\t\tTrack {rank}" for user, rank in rows]
    countries = list(CONTINENT)
    write(folder, log, [f"user_{user:06d}\tm\t\t{countries[user % len(countries)]}\t" for user in range(992)])
    return len(set(zip(users.tolist(), ranks.tolist(), strict=True)))


def test_a_log_of_a_million_plays(tmp_path: Path) -> None:
    pairs = generate(tmp_path, 1_000_000)
    dataset = load(tmp_path, min_listeners=20)
    everyone = load(tmp_path)
    assert dataset.facts["plays counted"] == 1_000_000
    assert dataset.users.height == sum(
        CONTINENT[country] in lastfm.REGIONS for country in (list(CONTINENT) * 992)[:992]
    )
    assert 0 < everyone.interactions.height < pairs
    listeners = dataset.interactions.group_by("item").len()["len"]
    assert listeners.min() >= 20  # type: ignore[operator]
    in_all = everyone.interactions.group_by("item").len()["len"]
    assert listeners.len() == (in_all >= 20).sum()


@pytest.mark.skipif(not REAL.is_dir(), reason="needs lastfm-1k in HABITUS_DATA")
def test_the_real_lines_and_profile(tmp_path: Path) -> None:
    (tmp_path / lastfm.EVENTS.file).symlink_to(REAL / "events-sample-user_000001.tsv")
    (tmp_path / lastfm.PROFILE.file).symlink_to(REAL / "userid-profile.tsv")
    dataset = load(tmp_path)
    assert dataset.facts["lines of the log"] == dataset.facts["plays counted"] == 5000
    assert dataset.facts["users in the profile"] == 992
    assert dataset.users["user_id"].to_list() == ["user_000002"]
    kinds = found(dataset)
    assert kinds.keys() == EXPECTED
    assert (kinds["user without a country"][0], kinds["user of unknown gender"][0]) == (85, 108)
    assert kinds["checksum"][0] == 1
    assert kinds["checksum"][1].startswith(lastfm.EVENTS.file)
