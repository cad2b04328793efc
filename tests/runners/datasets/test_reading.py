"""The shared reading: fields, encodings, numbering, and the counting of what is wrong."""

from codecs import BOM_UTF8

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus_runners.datasets import reading
from habitus_runners.datasets.dataset import Finding
from habitus_runners.datasets.reading import Findings, Layout
from habitus_runners.errors import HabitusError

THREE = Layout("x.dat", "::", ("a", "b", "c"))


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters=":\n\r"), max_size=5), max_size=5)))
def test_no_line_is_lost_uncounted(rows: list[list[str]]) -> None:
    findings = Findings()
    text = "".join("::".join(row) + "\n" for row in rows)
    frame = reading.fields(reading.lines("\n" + text, first=0), THREE, findings)
    expected = [tuple(row) for row in rows if len(row) == 3]
    assert frame.select("a", "b", "c").rows() == expected
    assert sum(finding.count for finding in findings.found()) == len(rows) + 1 - len(expected)


def test_a_finding_keeps_its_first_example_and_hides_control_characters() -> None:
    findings = Findings()
    findings.note("odd", 2, "a\x1b[31m\tb", "f")
    findings.note("odd", 3, "second", "f")
    findings.note("odd", 1, "third", "g")
    findings.note("none", 0, "never", "f")
    assert findings.found() == (Finding("odd", 5, "a\ufffd[31m b"), Finding("odd", 1, "third"))


def test_a_long_example_is_cut() -> None:
    assert len(reading.printable("x" * 1000)) == reading.EXAMPLE_LENGTH


def test_lines_split_at_lf_alone_and_drop_a_cr_before_it() -> None:
    assert reading.lines("a\rb\r\nc\n").rows() == [(1, "a\rb"), (2, "c")]


def test_latin_1_and_a_utf_8_copy_of_it_read_the_same() -> None:
    findings = Findings()
    assert reading.decoded("Mélo".encode("latin-1"), "f", "latin-1", findings) == "Mélo"
    assert findings.found() == ()
    assert reading.decoded("Mélo".encode("utf-8-sig"), "f", "latin-1", findings) == "Mélo"
    assert [finding.kind for finding in findings.found()] == ["encoding"]


def test_lines_that_are_not_utf_8_are_counted() -> None:
    findings = Findings()
    rows = reading.utf8_lines(b"good\nbad \xe9\n\xc3\xa9\n", "f", 5, findings)
    assert rows.rows() == [(5, "good"), (6, "bad \ufffd"), (7, "é")]
    assert findings.found() == (Finding("encoding", 1, "f line 6, expected UTF-8: bad \ufffd"),)


@given(
    st.lists(st.tuples(st.text("aé\u20ac\r", max_size=4), st.booleans()), max_size=4), st.sampled_from([b"", BOM_UTF8])
)
def test_each_line_is_read_in_its_own_encoding(lines: list[tuple[str, bool]], mark: bytes) -> None:
    expected = [text if utf8 else text.replace("\u20ac", "e") for text, utf8 in lines]
    data = [text.encode("utf-8" if utf8 else "latin-1") for text, (_, utf8) in zip(expected, lines, strict=True)]
    raw = mark + b"\n".join([*data, b"\xe9"])
    findings = Findings()
    assert reading.decoded(raw, "f", "latin-1", findings) == "\n".join([*expected, "é"])
    others = sum(utf8 and not text.isascii() for text, (_, utf8) in zip(expected, lines, strict=True))
    counts = {finding.kind: finding.count for finding in findings.found()}
    assert (counts.get("encoding", 0), counts.get("byte order mark", 0)) == (others, int(mark != b""))


def test_unknown_ids_are_counted_and_left_out() -> None:
    findings = Findings()
    frame = pl.DataFrame({"line": [1, 2, 3], "text": ["p", "q", "r"], "user": ["b", "z", "a"]})
    known = reading.numbered(frame, "user", pl.Series(["a", "b"]), "f", findings)
    assert known["user"].to_list() == [1, 0]
    assert known.schema["user"] == pl.Int32
    assert findings.found() == (Finding("unknown user", 1, "f line 2: q"),)


def test_without_any_known_id_all_are_unknown() -> None:
    findings = Findings()
    frame = pl.DataFrame({"line": [1], "text": ["p"], "user": ["b"]})
    assert reading.numbered(frame, "user", pl.Series([], dtype=pl.String), "f", findings).is_empty()
    assert findings.found()[0].count == 1


def test_restricted_numbers_the_kept_users_anew() -> None:
    users = pl.DataFrame({"user_id": ["a", "b", "c"]})
    pairs = pl.DataFrame({"user": [2, 1, 0, 2], "item": [5, 4, 3, 1], "value": [1, 2, 3, 4]})
    kept = reading.restricted(users, pairs, pl.Series([True, False, True]))
    assert kept.users["user_id"].to_list() == ["a", "c"]
    assert kept.interactions.rows() == [(0, 3, 3.0), (1, 1, 4.0), (1, 5, 1.0)]
    assert kept.interactions.schema == {"user": pl.Int32, "item": pl.Int32, "value": pl.Float32}


def test_control_characters_leave_a_title() -> None:
    findings = Findings()
    frame = pl.DataFrame({"line": [1, 2], "text": ["", ""], "title": [" a\x00\x1bb\u202e", "c"]})
    assert reading.cleaned(frame, "title", "f", findings)["title"].to_list() == ["a b", "c"]
    assert findings.found()[0].count == 1


def test_undecodable_text_names_the_file() -> None:
    with pytest.raises(HabitusError, match=r"f\.tsv: expected utf-8 text"):
        reading.decoded(b"\xff\xfe", "f.tsv", "utf-8", Findings())
