"""A ledger damaged, foreign, newer, locked away or out of room: one line, nothing wrong served, nothing lost."""

import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys

import pytest
from tests.runners.ledger.sender import question, reply

from habitus_runners.errors import HabitusError
from habitus_runners.ledger import Ledger
from habitus_runners.ledger.listing import damage

FLIPS = int(os.environ.get("HABITUS_FLIPS", "200"))
COUNT = 60
ASKED = [question(number) for number in range(COUNT)]
ANSWERS = {one.answer_id: reply(one) for one in ASKED}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A ledger's file, with an answer to each of ``ASKED``."""
    path = tmp_path_factory.mktemp("whole") / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.keep([(one, reply(one)) for one in ASKED])
    return path


def one_line(error):
    return len(str(error).splitlines()) == 1 and len(str(error)) < 400


def read(path):
    """What a ledger serves, and whether anything is wrong with it; or the line that says that it is damaged."""
    try:
        with Ledger(path) as ledger:
            return ledger.known(ANSWERS), bool(damage(ledger))
    except HabitusError as error:
        return str(error)


def test_a_flipped_bit_is_never_served(whole, tmp_path):
    draw, path = random.Random(0), tmp_path / "ledger.sqlite"  # noqa: S311 - draws bits
    content, noticed = whole.read_bytes(), 0
    written = [at for at, byte in enumerate(content) if byte]
    for _ in range(FLIPS):
        at, bit = draw.choice(written), draw.randrange(8)
        flipped = bytearray(content)
        flipped[at] ^= 1 << bit
        path.write_bytes(flipped)
        found = read(path)
        if isinstance(found, str):
            assert one_line(found)
            noticed += 1
            continue
        known, damaged = found
        assert known.items() <= ANSWERS.items(), at
        assert damaged or len(known) == COUNT, at
        noticed += damaged
    assert noticed > 0.9 * FLIPS  # what is left hit times, counters and other things that no answer depends on


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(whole, tmp_path, share):
    path = tmp_path / "ledger.sqlite"
    content = whole.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    found = read(path)
    assert isinstance(found, str) or (found[1] and found[0].items() <= ANSWERS.items())


def test_another_file_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 100)
    with pytest.raises(HabitusError, match="expected a ledger, got a damaged file") as raised:
        Ledger(path)
    assert one_line(raised.value)
    assert path.read_text() == "These are my notes. " * 100


def test_another_programs_database_is_refused(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE answers (text)")
    connection.close()
    with pytest.raises(HabitusError, match="got another program's database"):
        Ledger(path)


def test_a_newer_ledger_is_refused(whole, tmp_path):
    path = shutil.copy(whole, tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET version = 2")
    connection.close()
    with pytest.raises(HabitusError, match="expected a ledger of version 1, got 2; install a newer habitus"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HabitusError, match="choose another --ledger") as raised:
        Ledger(tmp_path / "file" / "ledger.sqlite")
    assert one_line(raised.value)


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from habitus_runners.errors import HabitusError
from habitus_runners.ledger import Ledger
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    Ledger(Path(sys.argv[1]))
except HabitusError as error:
    print(error)
"""


@pytest.mark.parametrize("there", [True, False])
def test_a_read_only_folder_is_said(whole, tmp_path, there):
    folder = tmp_path / "folder"
    folder.mkdir()
    if there:
        shutil.copy(whole, folder)
    folder.chmod(0o555)
    for parent in list(folder.parents)[:3]:
        parent.chmod(0o755)  # so that another user may come as far as here
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(folder / "ledger.sqlite")], capture_output=True, text=True, check=True
    )
    folder.chmod(0o755)
    assert "cannot be used: Permission denied" in done.stdout
    assert done.stdout.count("\n") == 1


def fill(ledger, kept):
    """Answer after answer, until there is no room."""
    for number in range(10_000):
        one = question(number)
        ledger.keep([(one, reply(one))])
        kept[one.answer_id] = reply(one)


def test_a_full_disk_loses_nothing_and_may_be_cleared(tmp_path):
    path = tmp_path / "ledger.sqlite"
    kept = {}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Ledger(path) as ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
        try:
            with pytest.raises(HabitusError, match=r"cannot be written: .*; make room") as raised:
                fill(ledger, kept)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert one_line(raised.value)
        assert len(kept) > 10
        assert ledger.known(kept) == kept
        ledger.keep([(question(-1), reply(question(-1)))])
    with Ledger(path) as ledger:
        assert len(ledger.known([*kept, question(-1).answer_id])) == len(kept) + 1
        assert damage(ledger) == []
