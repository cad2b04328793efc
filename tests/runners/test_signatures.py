"""Signatures: written and read back, mistyped, made of other answers, held against runs that are theirs and are not."""

import contextlib
import re
import struct
import subprocess
import sys
from hashlib import blake2b
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners import ranked

from habitus_runners import latest, results, scores, signature_check, signatures
from habitus_runners.cli.signature import signature
from habitus_runners.errors import HabitusError
from habitus_runners.signatures import FIGURES, HASHED, NAMED, Run, Signature
from habitus_runners.storage import RunFolder
from habitus_runners.tables import BIT, rankings_schema

LINE = (
    "skill=0.4213,model=openai:gpt-4o-mini,setup=all,level=age+20x+20gender,history=all,fill=chance,alpha=0.02,"
    "data=ml-1m.1a2b3c4d,preset=paper,seed=0,target=incidence,split=0,group.min-users=10,history.lengths=0:1:3,"
    "tasks=5063.9f8e7d6c,answers=1b2c3d4e,habitus=0.1.0"
)
KINDS = ("incidence", "user_mean")


def _signed(text: str) -> str:
    return f"{text},sum={crc32(text.encode()):08x}"


def _manifest(study: ranked.Ranked) -> dict:
    dataset = {"name": "world", "fingerprint": "0123456789abcdef"}
    return {"settings": study.settings.model_dump(mode="json"), "dataset": dataset, "habitus": "0.1.0"}


def _run(study: ranked.Ranked) -> Run:
    return Run(study.tasks, study.rankings, _manifest(study))


def _rows(study: ranked.Ranked) -> list[dict]:
    return results.summarise(study.tasks, study.scores, study.settings).to_pylist()


def _pooled(study: ranked.Ranked, model: str, fill: str = "chance") -> dict:
    """The first row of one model's: over all tasks. Its curve, of this model alone, may be another than in the run."""
    chosen = pc.and_(
        pc.equal(study.scores["model"].cast(pa.string()), model), pc.equal(study.scores["fill"].cast(pa.string()), fill)
    )
    return results.summarise(study.tasks, study.scores.filter(chosen), study.settings).to_pylist()[0]


def _folder(study: ranked.Ranked, path) -> RunFolder:
    folder = RunFolder(path)
    folder.record(**_manifest(study))
    for name in ("tasks", "members", "rankings"):
        folder.write(name, getattr(study, name))
    return folder


@pytest.fixture(scope="module", params=KINDS)
def study(request):
    return ranked.study(request.param)


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    return _folder(study, tmp_path_factory.mktemp("signed") / "run").path


texts = st.text(max_size=20)
keys = st.from_regex(r"[a-z]{1,6}\.[A-Za-z_]{1,6}", fullmatch=True)


@given(
    st.sampled_from(FIGURES),
    st.tuples(*(texts for _ in NAMED)),
    st.dictionaries(keys, texts, max_size=3),
    st.tuples(*(texts for _ in HASHED)),
    st.floats(-9, 9),
)
def test_what_was_written_is_read(figure, named, further, hashed, value):
    said = {key.replace("_", "-"): further[key] for key in further}
    parts = {
        **dict(zip(NAMED, named, strict=True)), **dict(sorted(said.items())), **dict(zip(HASHED, hashed, strict=True))
    }  # fmt: skip
    written = Signature(figure, signatures.shown({figure: value}, figure, 4), parts)
    line = str(written)
    assert signatures.read(line) == written
    assert re.fullmatch(r"[A-Za-z0-9=,.:/@+-]+", line)
    assert signatures.read(f" {line[:30]}\n  {line[30:]}\n") == written


def test_no_single_mistake_passes():
    line = _signed(LINE)
    signatures.read(line)
    alphabet = [chr(code) for code in range(0x21, 0x7F)] + ["é", "\N{HYPHEN}"]
    wrong = {line[:place] + line[place + 1 :] for place in range(len(line))}
    for place in range(len(line) + 1):
        wrong |= {line[:place] + letter + line[place:] for letter in alphabet}
        wrong |= {line[:place] + letter + line[place + 1 :] for letter in alphabet}
        wrong.add(line[:place] + line[place : place + 2][::-1] + line[place + 2 :])
    wrong.discard(line)
    assert len(wrong) > 50_000
    for text in wrong:
        with pytest.raises(HabitusError, match=r"^signature: expected"):
            signatures.read(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "expected FIGURE=NUMBER,KEY=VALUE,...,sum=CHECKSUM, got ''"),
        ("0.4213", "got '0.4213'"),
        ("\x1b[2Jskill=1", r"got '\x1b[2Jskill=1'"),
        (LINE + ",sum=00000000", "expected a text with the checksum it ends in, '00000000', got one with"),
        (_signed(LINE.replace("skill", "skil")), "first, got 'skil'"),
        (_signed(LINE.replace("0.4213", "0,4213")), "expected KEY=VALUE between two commas, got '4213'"),
        (_signed(LINE.replace("0.4213", "0.4213bits")), "a number such as 0.4213 or 4.51bits, got '0.4213bits'"),
        (_signed(LINE.replace("skill", "gap")), "a number such as 0.4213 or 4.51bits, got '0.4213'"),
        (_signed(LINE.replace("fill=chance,", "")), "expected fill as part 6, got 'alpha'"),
        (
            _signed(LINE.replace("level=age+20x+20gender,history=all", "history=all,level=age")),
            "expected level as part",
        ),
        (_signed(LINE.replace("answers=1b2c3d4e,", "")), "expected answers as part"),
        (_signed(LINE + ",habitus=0.1.0"), "as habitus writes it"),
        (_signed(LINE.replace("setup=all", "setup=+61ll")), "as habitus writes it"),
        (_signed(LINE.replace("setup=all", "setup=+FF")), "expected UTF-8 in its escapes, got 'setup=+FF'"),
        (_signed(LINE + "9" * 5000), "got 'skill=0.4213,model=openai:gpt-4o-mini"),
    ],
)
def test_what_is_no_signature_is_refused_in_one_line(text, line):
    with pytest.raises(HabitusError) as refused:
        signatures.read(text)
    message = str(refused.value)
    assert message.startswith("signature: ")
    assert line in message
    assert message.isprintable()


@given(st.text(max_size=60), st.integers(0, len(LINE)), st.integers(0, 9))
def test_whatever_comes_is_read_or_refused(text, place, cut):
    for signed in (text, _signed(text), _signed(LINE[:place] + text + LINE[place + cut :])):
        with contextlib.suppress(HabitusError):
            assert str(signatures.read(signed)) == "".join(signed.split())


def test_numbers_are_as_printed():
    row = {"skill": -0.00001, "gap": BIT / 2, "inversion": None, "outcome": "censored", "area": None}
    shown = [signatures.shown(row, name, 4) for name in ("skill", "gap", "inversion", "area")]
    assert shown == ["0.0000", "0.5000bits", "censored", "undefined"]


@given(st.floats(-5, 5), st.integers(1, 10))
def test_a_number_equals_what_it_was_printed_from(value, digits):
    for figure in ("skill", "gap"):
        printed = signatures.shown({figure: value}, figure, digits)
        unit = BIT if figure == "gap" else 1
        assert signatures.equal(printed, {figure: value}, figure)
        assert not signatures.equal(printed, {figure: value + 1.01 * unit * 10**-digits}, figure)
        assert not signatures.equal(printed, {figure: None}, figure)
        assert not signatures.equal("undefined", {figure: value}, figure)


def test_a_row_says_what_it_is_of(study):
    row = next(row for row in _rows(study) if row["setup"] == "A" and row["level"] == "age x gender x region")
    read = signatures.read(signatures.of(_run(study), row, "cross_entropy"))
    assert read.number == f"{row['cross_entropy'] / BIT:.4f}bits"
    assert read.parts["level"] == "age x gender x region"
    assert read.parts["tasks"].startswith(f"{row['tasks']}.")
    assert read.unusual["history.lengths"] == "0:2"
    assert read.unusual["candidates.K"] == str(ranked.K)
    assert float(read.parts["alpha"]) == row["alpha"]
    with pytest.raises(HabitusError, match="expected a figure of the results table"):
        signatures.of(_run(study), row, "tasks")


def test_hashes_are_those_of_a_slow_twin(study):
    """Every task that was answered, by its hashed id; every list beside that of its task."""
    facts, names = {}, {}
    for task in study.tasks.to_pylist():
        packed = b"".join(struct.pack("<i", count) for name in ("counts", "population") for count in task[name])
        packed += struct.pack("<QQ", task["group_size"], task["seed"])
        packed += b"".join(struct.pack("<i", round(share * 1e6)) for share in task["target"] or ())
        names[task["task_id"]] = name = blake2b(task["task_id"].encode(), digest_size=16).digest()
        facts[name] = name + blake2b(packed, digest_size=16).digest()
    answers = [row for row in study.rankings.to_pylist() if row["model"] == "short"]
    lists = sorted((names[row["task_id"]], tuple(row["ranking"])) for row in answers)
    text = b"".join(name + b"".join(struct.pack("<h", place) for place in places) for name, places in lists)
    tasks = blake2b(b"".join(facts[name] for name in sorted({name for name, _ in lists})), digest_size=4)
    parts = _run(study).parts(_pooled(study, "short"))
    assert parts["answers"] == blake2b(text, digest_size=4).hexdigest()
    assert parts["tasks"] == f"{len({name for name, _ in lists})}.{tasks.hexdigest()}"


def test_the_order_of_rows_is_nothing(study):
    rng = np.random.default_rng(1)
    mixed = study._replace(
        tasks=study.tasks.take(rng.permutation(study.tasks.num_rows)),
        rankings=study.rankings.take(rng.permutation(study.rankings.num_rows)),
    )
    row = _pooled(study, "short")
    assert _run(study).parts(row) == _run(mixed).parts(row)


def _differing(one: ranked.Ranked, other: ranked.Ranked, model: str = "full") -> set[str]:
    everything = {"model": model, "fill": "chance", "setup": "all", "level": "all", "history": "all"}
    first, second = (
        _run(study).parts(everything | {"alpha": study.scores["alpha"][0].as_py()}) for study in (one, other)
    )
    return {key for key in {*first, *second} if first.get(key) != second.get(key)}


def _with_answer(study: ranked.Ranked, model: str) -> ranked.Ranked:
    """The same study after one list of a model lost its first item."""
    rows = study.rankings.to_pylist()
    row = next(row for row in rows if row["model"] == model)
    row["ranking"] = [-1, *row["ranking"][1:]]
    rankings = pa.Table.from_pylist(rows, schema=rankings_schema(ranked.N))
    scored = scores.score(study.tasks, study.members, rankings, study.settings)
    return study._replace(rankings=rankings, scores=scored)


def test_what_changes_shows(study):
    assert not _differing(study, study)
    assert _differing(study, study.scored_with(target__alpha=0.5)) == {"alpha"}
    assert _differing(study, study.scored_with(curve__window=9)) == {"curve.window"}
    assert _differing(study, _with_answer(study, "full")) == {"answers"}
    assert not _differing(study, _with_answer(study, "short"))
    counts = study.tasks["counts"].to_pylist()
    counts[0] = [count + 1 for count in counts[0]]
    place = study.tasks.schema.get_field_index("counts")
    field = study.tasks.schema.field(place)
    other = study._replace(tasks=study.tasks.set_column(place, field, pa.array(counts, field.type)))
    assert _differing(study, other) == {"tasks"}


def test_every_number_of_a_run_is_found_again(study, folder):
    run = _run(study)
    rows = [row for row in _rows(study) if row["fill"] in {"chance", "worst"} and row["history"] in {"all", "2"}]
    figures = ("skill", "inversion", "cross_entropy", "area", "bounded_skill", "gap", "ceiling")
    for row, figure in zip(rows[:: len(rows) // len(figures)], figures, strict=False):
        checked = signature_check.check(signatures.of(run, row, figure), [folder])
        assert checked.status == 0, checked.verdict
        assert checked.folder == folder


def test_a_run_that_was_scored_anew_still_gives_the_number_again(study, folder):
    other = study.scored_with(target__alpha=0.5, curve__window=9, fill="drop")
    line = signatures.of(_run(other), _pooled(other, "short", "drop"), "skill")
    checked = signature_check.check(line, [folder])
    assert checked.status == 0, checked.verdict
    assert "curve.window" in {finding.part for finding in checked.findings}


def test_another_run_is_told_by_the_parts_that_differ(study, folder, tmp_path):
    changed = _with_answer(study, "full")
    line = signatures.of(_run(changed), _pooled(changed, "full"), "skill", digits=12)
    checked = signature_check.check(line, [folder])
    assert {finding.part for finding in checked.differing} == {"skill", "answers"}
    assert checked.status == 1
    assert checked.verdict.endswith("not as signed: skill, answers")
    both = signature_check.check(line, [folder, _folder(changed, tmp_path / "theirs").path])
    assert (both.status, both.folder) == (0, tmp_path / "theirs")
    unknown = line.replace("model=full", "model=nobody").rpartition(",sum=")[0]
    named = signature_check.check(_signed(unknown), [folder], named=True)
    assert {"skill", "tasks", "answers"} <= {finding.part for finding in named.differing}
    assert signature_check.check(_signed(unknown), [folder]).status == 6


def test_a_number_that_was_made_up_is_found_out(study, folder):
    line = signatures.of(_run(study), _pooled(study, "full"), "skill")
    better = _signed(re.sub("skill=[^,]*", "skill=0.9999", line.rpartition(",sum=")[0]))
    checked = signature_check.check(better, [folder])
    assert [finding.part for finding in checked.differing] == ["skill"]


def test_another_design_is_told_by_its_setting(study, folder):
    line = signatures.of(_run(study), _pooled(study, "full"), "skill").rpartition(",sum=")[0]
    other = _signed(line.replace("draws.cap=40", "draws.cap=41"))
    assert [finding.part for finding in signature_check.check(other, [folder]).differing] == ["draws.cap"]
    of_sound = signature_check.check(_signed(line.replace("preset=paper", "preset=sound")), [folder])
    assert {"preset", "group.min_users", "candidates.rule"} <= {finding.part for finding in of_sound.differing}


def test_a_damaged_run_is_passed_over_and_said(study, folder, tmp_path):
    damaged = _folder(study, tmp_path / "damaged").path
    (damaged / "tasks.parquet").write_bytes(b"no")
    line = signatures.of(_run(study), _pooled(study, "full"), "skill")
    checked = signature_check.check(line, [damaged, folder])
    assert (checked.status, checked.folder) == (0, folder)
    assert "tasks.parquet" in checked.passed_over[0]
    with pytest.raises(HabitusError, match="expected the file that was written"):
        signature_check.check(line, [damaged], named=True)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("preset=paper", "preset=mine"), "preset: expected paper or sound, got 'mine'"),
        (("alpha=", "alpha=-"), "setting target.alpha: "),
        (("skill=", "skill=0"), "signature: expected a number such as 0.4213"),
        (("split=0", "split=" + "+5B" * 1200), "setting users.split: "),
        (("fill=chance", "fill=full"), "setting fill: "),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(study, folder, change, line):
    text = signatures.of(_run(study), _pooled(study, "full"), "skill").rpartition(",sum=")[0]
    with pytest.raises(HabitusError, match=re.escape(line)):
        signature_check.check(_signed(text.replace(*change)), [folder], named=True)


def test_headline_is_the_skill_of_every_model(study):
    run, table = _run(study), results.summarise(study.tasks, study.scores, study.settings)
    lines = signatures.headline(run, table, "worst")
    assert lines == {model: signatures.of(run, _pooled(study, model, "worst"), "skill") for model in ("full", "short")}


def test_numbers_of_halved_users_are_found_again(study, folder):
    """The folder's run was scored by all users; its members table knows the halves that the signature asks for."""
    halved = study.scored_with(
        users__split=3, target__smoothing="population", target__estimator="nsb", curve__kind="lowess"
    )
    line = signatures.of(_run(halved), _pooled(halved, "full"), "skill", digits=8)
    assert ",alpha=0," in line
    assert ",split=3," in line
    checked = signature_check.check(line, [folder])
    assert checked.status == 0, checked.verdict


def test_the_command(study, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    line = signatures.of(_run(study), _pooled(study, "full"), "skill")
    assert signature(line, folder) == 0
    assert f"Recomputed from {folder}: " in capsys.readouterr().out
    assert signature(line) == 6
    assert "Nothing was recomputed" in capsys.readouterr().out
    _folder(study, tmp_path / "habitus-runs" / "mine")
    assert signature(line) == 0
    assert signature(_signed(re.sub("skill=[^,]*", "skill=0.9999", line.rpartition(",sum=")[0]))) == 1
    assert re.search(r"DIFFERS +skill  0.9999, in the run", capsys.readouterr().out)
    latest.remember(folder)
    (tmp_path / "habitus-runs").rename(tmp_path / "elsewhere")
    assert signature(line) == 0


def _habitus(text: str, cwd) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "habitus_runners", "check", "signature", text]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_text_that_moves_a_cursor_is_shown_without_it(tmp_path):
    done = _habitus(_signed(LINE.replace("model=openai", "model=+1B+5B2Jevil+E2+80+AE")), tmp_path)
    assert done.returncode == 6, done.stderr
    assert "[2Jevil:gpt-4o-mini" in done.stdout
    assert not {"\x1b", "\u202e"} & set(done.stdout)
    refused = _habitus("\x1b[2J\u202eskill=1", tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert not {"\x1b", "\u202e"} & set(refused.stderr)


def test_latex_needs_no_escapes():
    line = str(signatures.read(_signed(LINE.replace("=openai", "=my+5Fown+25"))))
    assert not set(line) & set("\\%#&$~^_{}|")
    assert signatures.latex(line).replace(r"\hspace{0pt plus 3em}", "") == rf"\texttt{{{line}}}"
