"""A user's own tables: both layouts, Parquet and text, and one clear line for whatever is wrong."""

import csv
import io
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from habitus_runners.datasets import table_file, tabular, tabular_config
from habitus_runners.datasets.dataset import Dataset, Level
from habitus_runners.datasets.reading import Findings
from habitus_runners.errors import HabitusError

ROOT = Path(__file__).parents[3]
REAL = Path(os.environ.get("HABITUS_DATA", "")) / "lastfm-1k"

PAIRS = "who,what,stars\na,x,2\na,y,3.5\nb,x,1\nc,z,4\n"
PEOPLE = "id,age,sex\na,17,m\nb,18,f\nc,44,\nd,30,m\n"
THINGS = "key,name\nx,The X\ny,Y\nz,Z\nw,Never\n"

DATA = '[data]\nname = "mine"\n'
INTERACTIONS = '[interactions]\npath = "pairs.csv"\nuser = "who"\nitem = "what"\nvalue = "stars"\n'
USERS = """[users]
path = "people.csv"
id = "id"
[users.attributes]
sex = { column = "sex", values = { m = "male", f = "female" }, label = "Sex" }
age = { column = "age", bins = [18, 25] }
"""
ITEMS = '[items]\npath = "things.csv"\nid = "key"\ntitle = "name"\n'
PROXIES = '[proxies.levels]\nsex = ["sex"]\n"sex x age" = ["sex", "age"]\n'
FULL = DATA + INTERACTIONS + USERS + ITEMS + PROXIES


def write(folder: Path, config: str = FULL, pairs: str = PAIRS, people: str = PEOPLE, things: str = THINGS) -> Path:
    for name, text in {"pairs.csv": pairs, "people.csv": people, "things.csv": things, "CONFIG.toml": config}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "CONFIG.toml"


def found(dataset: Dataset) -> dict[str, tuple[int, str]]:
    return {finding.kind: (finding.count, finding.example) for finding in dataset.findings}


def test_three_tables_become_a_data_set(tmp_path: Path) -> None:
    dataset = tabular.load(write(tmp_path))
    assert dataset.users.rows() == [("a", "male", "under 18"), ("b", "female", "18-24"), ("c", None, "25+")]
    assert dataset.items.rows() == [("x", "The X"), ("y", "Y"), ("z", "Z"), ("w", "Never")]
    assert dataset.interactions.rows() == [(0, 0, 2.0), (0, 1, 3.5), (1, 0, 1.0), (2, 2, 4.0)]
    assert dataset.levels == (Level("none"), Level("sex", ("sex",)), Level("sex x age", ("sex", "age")))
    assert dataset.labels == {"sex": "Sex", "age": "Age"}
    assert dataset.facts["known users without interactions"] == 1
    assert found(dataset) == {"user without sex": (1, "people.csv line 4: c,44,")}


def test_interactions_alone_are_enough(tmp_path: Path) -> None:
    dataset = tabular.load(write(tmp_path, DATA + INTERACTIONS.replace('value = "stars"\n', "")))
    assert dataset.users.rows() == [("a",), ("b",), ("c",)]
    assert dataset.items.rows() == [("x", "x"), ("y", "y"), ("z", "z")]
    assert dataset.interactions["value"].to_list() == [1.0] * 4
    assert dataset.levels == (Level("none"),)


@pytest.mark.parametrize(
    ("rows", "table"),
    [
        ("items", "item,a,b,c,d\nx,2,1,0,0\ny,3.5,0,0,0\nz,0,0,4,0\nw,0,0,0,0\n"),
        ("users", "item,x,y,z,w\na,2,3.5,0,0\nb,1,0,0,0\nc,0,0,4,0\n"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_matrix_gives_what_its_pairs_give(rows: str, table: str, kind: str, tmp_path: Path) -> None:
    pairs = tabular.load(write(tmp_path))
    matrix = f'[interactions]\npath = "matrix.{kind}"\nlayout = "matrix"\nrows = "{rows}"\nid = "item"\n'
    frame = pl.read_csv(table.encode())
    if kind == "csv":
        frame.write_csv(tmp_path / "matrix.csv")
    else:
        frame.write_parquet(tmp_path / "matrix.parquet")
    assert tabular.load(write(tmp_path, FULL.replace(INTERACTIONS, matrix))).fingerprint == pairs.fingerprint


def test_a_matrix_cell_that_is_no_number_is_counted(tmp_path: Path) -> None:
    matrix = '[interactions]\npath = "pairs.csv"\nlayout = "matrix"\nrows = "items"\nid = "k"\n'
    dataset = tabular.load(write(tmp_path, DATA + matrix, "k,a,b\nx,1,oops\ny,,1\n"))
    assert dataset.interactions.rows() == [(0, 0, 1.0), (1, 1, 1.0)]
    assert found(dataset) == {"value that is no number": (2, "pairs.csv line 2, column b: oops")}
    pl.DataFrame({"k": ["x", "y"], "a": ["1", None], "b": ["oops", "1"]}).write_parquet(tmp_path / "pairs.parquet")
    packed = tabular.load(write(tmp_path, DATA + matrix.replace(".csv", ".parquet")))
    assert packed.fingerprint == dataset.fingerprint
    assert found(packed) == {"value that is no number": (2, "pairs.parquet row 1, column b: oops")}


def test_a_ragged_matrix_loses_the_ragged_row_alone(tmp_path: Path) -> None:
    matrix = '[interactions]\npath = "pairs.csv"\nlayout = "matrix"\nrows = "items"\nid = "k"\n'
    dataset = tabular.load(write(tmp_path, DATA + matrix, "k,a,b\nx,1,2\nz,1,1,1\ny,0,1\n"))
    assert dataset.interactions.rows() == [(0, 0, 1.0), (1, 0, 2.0), (1, 1, 1.0)]
    assert found(dataset) == {"malformed line (not 3 fields)": (1, "pairs.csv line 3: z,1,1,1")}


def test_parquet_with_typed_columns_reads_as_its_text(tmp_path: Path) -> None:
    text = tabular.load(write(tmp_path))
    for name in ("pairs", "people", "things"):
        pl.read_csv(tmp_path / f"{name}.csv").write_parquet(tmp_path / f"{name}.parquet")
    assert tabular.load(write(tmp_path, FULL.replace(".csv", ".parquet"))).fingerprint == text.fingerprint


def test_another_folder_takes_the_place_of_the_configs(tmp_path: Path) -> None:
    config = write(tmp_path)
    there = tmp_path / "there"
    there.mkdir()
    write(there, pairs="who,what,stars\nb,y,5\n")
    assert tabular.load(config, source=there).users["user_id"].to_list() == ["b"]
    with pytest.raises(HabitusError, match="nowhere: expected the folder"):
        tabular.load(config, source=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("row", "kind", "example"),
    [
        ("a,77,1", "unknown item", "pairs.csv line 6: a,77,1"),
        ("77,x,1", "unknown user", "pairs.csv line 6: 77,x,1"),
        ("a,x,9", "duplicate (user, item) pair, first kept", "pairs.csv line 6: a,x,9"),
        ("a,z,many", "value that is no number", "pairs.csv line 6: a,z,many"),
        ("a,z,inf", "value that is no number", "pairs.csv line 6: a,z,inf"),
        ("a,z,", "value that is no number", "pairs.csv line 6: a,z,"),
        (",z,1", "no user", "pairs.csv line 6: ,z,1"),
        ("a,,1", "no item", "pairs.csv line 6: a,,1"),
        ("a,z,1,2,3", "malformed line (not 3 fields)", "pairs.csv line 6: a,z,1,2,3"),
        ("a,z", "malformed line (not 3 fields)", "pairs.csv line 6: a,z"),
        ("", "malformed line (not 3 fields)", "pairs.csv line 6: "),
        ('"a,z,1', table_file.MISQUOTED, 'pairs.csv line 6: "a,z,1'),
        ('a,"z" 1,1', table_file.MISQUOTED, 'pairs.csv line 6: a,"z" 1,1'),
    ],
)
def test_one_wrong_row_is_one_finding_and_changes_nothing_else(
    row: str, kind: str, example: str, tmp_path: Path
) -> None:
    clean = tabular.load(write(tmp_path))
    dataset = tabular.load(write(tmp_path, pairs=PAIRS + row + "\n"))
    assert found(dataset) == found(clean) | {kind: (1, example)}
    assert dataset.fingerprint == clean.fingerprint
    header, *rows = PAIRS.splitlines()
    among = tabular.load(write(tmp_path, pairs="\n".join([header, *rows[:4], row, ""])))
    assert found(among) == found(dataset)


def test_wrong_rows_of_users_and_items_are_findings(tmp_path: Path) -> None:
    people, things = PEOPLE + "a,99,f\n,1,m\ne,old,m\n", THINGS + "x,Again\n,Nameless\nv,\nu,\x07U\n"
    dataset = tabular.load(write(tmp_path, people=people, things=things))
    assert dataset.users.rows() == tabular.load(write(tmp_path)).users.rows()
    assert dataset.items.rows()[4:] == [("v", "v"), ("u", "U")]
    dataset = tabular.load(write(tmp_path, people=people, things=things))
    expected = {"no user", "duplicate user, first kept", "user without sex", "age that is no number", "no item"}
    assert found(dataset).keys() == expected | {
        "duplicate item, first kept",
        "control character in title, removed",
        "empty title, id taken",
    }


def test_a_log_is_added_up(tmp_path: Path) -> None:
    config = FULL.replace(INTERACTIONS, INTERACTIONS + 'duplicates = "sum"\n')
    dataset = tabular.load(write(tmp_path, config, PAIRS + "a,x,5\n"))
    assert dataset.interactions.rows()[0] == (0, 0, 7.0)


def test_users_of_small_cells_are_left_out_and_unknown_ones_stay(tmp_path: Path) -> None:
    people = "id,age,sex\na,17,m\nb,18,f\nc,44,\nd,30,m\n"
    pairs = PAIRS + "d,x,1\n"
    dataset = tabular.load(write(tmp_path, FULL + "[proxies.min_users]\nsex = 2\n", pairs, people))
    assert dataset.users["user_id"].to_list() == ["a", "c", "d"]
    with_idle = tabular.load(write(tmp_path, FULL + "[proxies.min_users]\nsex = 2\n", PAIRS, people))
    assert with_idle.users["user_id"].to_list() == ["c"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('item = "what"', 'item = "thing"', r"pairs\.csv: expected a column 'thing', got who, what, stars"),
        ('id = "key"', 'id = "code"', r"things\.csv: expected a column 'code', got key, name"),
        ('column = "age"', 'column = "Age"', r"people\.csv: expected a column 'Age', got id, age, sex"),
        ('"pairs.csv"', '"none.csv"', r"none\.csv: expected a readable table, got .*No such file"),
        ('"pairs.csv"', '"none.parquet"', r"none\.parquet: expected a readable table"),
        ('"pairs.csv"', '"things.csv"', r"things\.csv: expected a column 'who'"),
        ('name = "mine"', 'name = "mine"\nmax_cell = 3', r"CONFIG\.toml: data\.max_cell: Extra inputs"),
        ('name = "mine"', "name = 3", r"CONFIG\.toml: data\.name"),
        ('user = "who"\n', "", r"CONFIG\.toml: interactions\.user: Field required"),
        ("[18, 25]", "[25, 18]", r"users\.attributes\.age: .*bins must ascend"),
        ("[18, 25]", "[18.5]", r"users\.attributes\.age: .*need names"),
        ("[18, 25]", '[18, 25], names = ["a"]', r"users\.attributes\.age: .*expected as many names"),
        ('sex = ["sex"]', 'sex = ["gender"]', r"level 'sex' uses 'gender'"),
        ('sex = ["sex"]', 'none = ["sex"]', "the level none has no attributes"),
        ("[proxies.levels]", "[proxies.min_users]\nx = 3\n[proxies.levels]", "no such level"),
        ('user = "who"', 'user = "who"\nseparator = ";;"', r"interactions\.separator: .*got ';;'"),
        ('user = "who"', "user = \"who\"\nquote = ','", r"interactions: separator and quote must differ"),
        ("[data]", "[data", r"CONFIG\.toml: expected TOML"),
    ],
)
def test_a_wrong_config_is_one_line_that_names_the_place(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in FULL
    with pytest.raises(HabitusError, match=message) as caught:
        tabular.load(write(tmp_path, FULL.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_another_encoding_is_named_and_can_be_said(tmp_path: Path) -> None:
    config = write(tmp_path)
    (tmp_path / "things.csv").write_bytes(THINGS.replace("The X", "Mélo").encode("latin-1"))
    with pytest.raises(HabitusError, match=r"things\.csv: expected utf-8, got byte 0xe9 on line 2"):
        tabular.load(config)
    config.write_text(FULL.replace(ITEMS, ITEMS + 'encoding = "latin-1"\n'))
    assert tabular.load(config).items["title"][0] == "Mélo"


def test_a_column_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match="expected every column once, got 'who' again"):
        tabular.load(write(tmp_path, pairs="who,what,stars,who\na,x,1,b\n"))


def test_a_row_of_parquet_is_shown_as_it_came(tmp_path: Path) -> None:
    config = write(tmp_path, FULL.replace("pairs.csv", "pairs.parquet"))
    pl.read_csv((PAIRS + "a,77,\n").encode()).write_parquet(tmp_path / "pairs.parquet")
    assert found(tabular.load(config))["value that is no number"] == (1, "pairs.parquet row 5: a, 77, ")


def test_columns_may_have_any_name(tmp_path: Path) -> None:
    config = FULL.replace('"who"', '"line"').replace('"what"', '"text"').replace('"stars"', '"row"')
    plain = tabular.load(write(tmp_path))
    named = tabular.load(write(tmp_path, config, PAIRS.replace("who,what,stars", "line,text,row")))
    assert named.fingerprint == plain.fingerprint


def test_quotes_are_read_where_they_are_in_order(tmp_path: Path) -> None:
    things = 'key,name\nx,"A, ""B"""\ny,7" disc\nz,"two\nlines, or three"\nw,"open\nv,"closed"\n"u,q\n'
    dataset = tabular.load(write(tmp_path, things=things))
    assert dataset.items.rows() == [("x", 'A, "B"'), ("y", '7" disc'), ("z", "two lines, or three"), ("v", "closed")]
    wrong = found(dataset)
    assert wrong[table_file.MISQUOTED] == (2, 'things.csv line 6: w,"open')
    assert wrong["record over several lines, read as one"] == (1, 'things.csv line 4: z,"two\ufffdlines, or three"')


def test_a_quote_never_closed_swallows_no_line(tmp_path: Path) -> None:
    rows = "".join(f"a,i{number},1\n" for number in range(20_000))
    pairs = f'who,what,stars\nb,"y,2\n{rows}c,7",1\n'
    dataset = tabular.load(write(tmp_path, DATA + INTERACTIONS, pairs))
    assert dataset.interactions.height == 20_001
    assert found(dataset) == {table_file.MISQUOTED: (1, 'pairs.csv line 2: b,"y,2')}


@given(
    st.lists(st.text('a,"', max_size=7), min_size=1, max_size=8),
    st.sampled_from(['"', ""]),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
def test_no_line_of_a_table_is_lost_uncounted(tmp_path: Path, lines: list[str], quote: str, end: str) -> None:
    (tmp_path / "t.csv").write_text(end.join(["x,y,z", "1,2,3", *lines, ""]), encoding="utf-8", newline="")
    table = tabular_config.Table(path=Path("t.csv"), quote=quote)
    findings = Findings()
    frame = table_file.read(table, tmp_path, {name: name for name in "xyz"}, 1000, findings)
    kept = [text.count("\n") + 1 for text in frame["text"]]
    lost = [finding.count for finding in findings.found() if finding.kind.startswith("malformed")]
    assert sum(kept) + sum(lost) == len(lines) + 1
    for text, *cells in frame.select("text", "x", "y", "z").rows():
        expected = next(csv.reader(io.StringIO(text), strict=True)) if quote else text.split(",")
        assert [cell or "" for cell in cells] == [field.replace("\n", " ") for field in expected]


@pytest.mark.parametrize("cut", [0, 4, 60, -1])
def test_a_broken_parquet_file_is_one_line(cut: int, tmp_path: Path) -> None:
    config = write(tmp_path, FULL.replace("pairs.csv", "pairs.parquet"))
    path = tmp_path / "pairs.parquet"
    pl.read_csv(PAIRS.encode()).write_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(HabitusError, match=r"pairs\.parquet: expected a readable table"):
        tabular.load(config)


def test_a_parquet_file_that_would_expand_is_refused_before_it_is_read(tmp_path: Path) -> None:
    config = write(
        tmp_path, FULL.replace("pairs.csv", "pairs.parquet").replace("[data]", "[data]\nmax_cells = 1000000")
    )
    path = tmp_path / "pairs.parquet"
    pl.select(pl.repeat("a", 2_000_000).alias("who")).with_columns(what="who", stars=1).write_parquet(path)
    assert path.stat().st_size < 100_000
    with pytest.raises(HabitusError, match="expected at most 1,000,000 cells, got 6,000,000"):
        tabular.load(config)


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HabitusError, match=r"mine: expected interactions of known users.*unknown user: 1"):
        tabular.load(write(tmp_path, pairs="who,what,stars\nq,x,1\n"))
    with pytest.raises(HabitusError, match=r"pairs\.csv: expected rows of 3 fields .*; the table is empty"):
        tabular.load(write(tmp_path, pairs="who,what,stars\n"))
    with pytest.raises(HabitusError, match=r"malformed line \(not 3 fields\): 1 \(pairs\.csv line 2: q;x;3\)"):
        tabular.load(write(tmp_path, pairs="who,what,stars\nq;x;3\n"))


def test_settings_are_handed_over_raw(tmp_path: Path) -> None:
    config = write(tmp_path, FULL + '[settings]\nseed = 3\n"draws.count" = 5\n')
    assert tabular.overrides(config) == {"seed": 3, "draws.count": 5}


def test_the_example_is_a_valid_config() -> None:
    config = tabular_config.parse(ROOT / "examples" / "user-artist" / "CONFIG.toml")
    assert config.users is not None
    assert config.users.attributes["age"].bands == ("under 18", "18-24", "25-34", "35-44", "45+")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs lastfm-1k in HABITUS_DATA")
def test_the_example_reads_the_real_matrix() -> None:
    dataset = tabular.load(ROOT / "examples" / "user-artist" / "CONFIG.toml", source=REAL)
    assert dataset.facts["known users"] == 992
    assert dataset.facts["interactions of known users"] == 47_774
    assert dataset.facts["items"] == 1902
    assert dataset.users.group_by("country").len()["len"].min() == 3
    assert not any(finding.kind.startswith("unknown") for finding in dataset.findings)
