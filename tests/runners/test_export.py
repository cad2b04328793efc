"""Tables for papers: what LaTeX and CSV say is what the tables hold, whatever models are called."""

import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runners import ranked

from habitus_runners import comparison, export, results
from habitus_runners.errors import HabitusError
from habitus_runners.paired import Paired
from habitus_runners.tables import BIT, frame, results_schema

HOSTILE = (r"my_model & 50% #1", r"{a}\b$c^d~e", "[x]*'y`z\"<|>", "gpt--4,,o", "naïve é", "a\x1b[31m\nb")
PLAIN = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|", r"{\ttfamily\char34}": '"', r"\textquotesingle{}": "'",
    r"\textasciigrave{}": "`", "{[}": "[", "{]}": "]", "{*}": "*", "-{}": "-", ",{}": ",",
    **{f"\\{sign}": sign for sign in "&%$#_{}"},
}  # fmt: skip
TOKEN = re.compile("|".join(re.escape(token) for token in sorted(PLAIN, key=len, reverse=True)) + r"|[^\\&%$#_{}~^]")


def read_back(text: str) -> str:
    """What LaTeX prints; nothing in it may be read as a command."""
    tokens = TOKEN.findall(text)
    assert "".join(tokens) == text
    return "".join(PLAIN.get(token, token) for token in tokens)


def body(table: str) -> list[list[str]]:
    """The cells of the rows between the rules, each with its command for bold."""
    assert table.count("{") - table.count(r"\{") == table.count("}") - table.count(r"\}")
    inside = table.split(r"\midrule", 1)[1].split(r"\bottomrule", 1)[0].replace("\\endhead", "")
    rows = [row.strip() for row in inside.split(r" \\") if row.strip()]
    return [re.split(r"(?<!\\) & ", row) for row in rows]


@pytest.fixture(scope="module")
def run() -> export.Run:
    study = ranked.study("incidence")
    table = results.summarise(study.tasks, study.scores, study.settings)
    names = {"full": HOSTILE[0], "short": "perfect"}
    rows = [row | {"model": names[row["model"]]} for row in table.to_pylist()]
    rows += [row | {"model": HOSTILE[2], "skill": None, "inversion": None, "outcome": "none"} for row in rows[:40]]
    return export.Run(pa.Table.from_pylist(rows, schema=results_schema()), "a_data set", study.settings)


@pytest.fixture(scope="module")
def compared() -> comparison.Comparison:
    rng = np.random.default_rng(0)
    names = ("perfect", *HOSTILE, *(f"model {number}" for number in range(4)))
    ce = rng.normal(2.5, 0.2, (len(names), 60)) + np.linspace(0, 0.5, len(names))[:, None]
    scored = Paired(names, names, ce, np.full(60, 2.0), np.full(60, 3.0), np.arange(60), (), 0)
    return comparison.compare(scored, seed=0, flips=999, resamples=200)


def test_csv_holds_the_results_in_bits(run: export.Run, tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.csv"
    export.write(path, export.of_results(run, "B"))
    read = pd.read_csv(path)
    wanted = frame(run.results).filter(setup="B", level="all", history="all", fill="chance")
    assert len(read) == wanted.height > 1
    for row in read.to_dict("records"):
        expected = wanted.row(by_predicate=pl.col("model") == row["model"], named=True)
        for name in ("cross_entropy", "entropy", "chance", "worst", "gap"):
            assert row[f"{name}_bits"] == pytest.approx(expected[name] / BIT)
        for name in ("skill", "bounded_skill", "validity", "tasks"):
            assert (row[name] == pytest.approx(expected[name])) if expected[name] is not None else math.isnan(row[name])
        assert row["sees_the_answer"] == (row["model"] == "perfect")
        assert not {"cross_entropy", "gap", "trend"} & set(row)
    assert read["skill"].dropna().is_monotonic_decreasing


def test_latex_shows_the_results(run: export.Run, tmp_path: Path) -> None:
    export.write(tmp_path / "results.tex", export.of_results(run))
    table = (tmp_path / "results.tex").read_text(encoding="utf-8")
    cells = body(table)
    expected = export.of_results(run).rows.to_dicts()
    assert "CE (bits) & Gap (bits) & Skill" in table
    assert r"Data set a\_data set, all setups" in table
    for row, (name, ce, gap, skill, *_) in zip(expected, cells, strict=True):
        assert read_back(name.removesuffix(r"$^{\dagger}$")) == row["model"]
        assert name.endswith(r"$^{\dagger}$") == (row["model"] == "perfect")
        plain = [text.removeprefix(r"\textbf{").removesuffix("}").replace("$-$", "-") for text in (ce, gap, skill)]
        known = [row[column] for column in ("cross_entropy_bits", "gap_bits", "skill")]
        assert plain == ["--" if value is None else f"{round(value, 3) + 0.0:.3f}" for value in known]


def test_the_best_that_do_not_see_the_answer_are_bold(run: export.Run) -> None:
    rows = export.of_results(run).rows.with_columns(
        cross_entropy_bits=pl.Series([3.0, 3.10001, 3.1]), sees_the_answer=pl.Series([True, False, False])
    )
    sheet = export.of_results(run)._replace(rows=rows)
    shown = [row[1] for row in body(export.WRITERS[".tex"](sheet))]
    assert shown == ["3.000", r"\textbf{3.100}", r"\textbf{3.100}"]


def test_pairs_are_all_there(compared: comparison.Comparison, tmp_path: Path) -> None:
    export.write(tmp_path / "pairs.csv", export.of_pairs(compared))
    export.write(tmp_path / "pairs.tex", export.of_pairs(compared))
    read = pd.read_csv(tmp_path / "pairs.csv").to_dict("records")
    cells = body((tmp_path / "pairs.tex").read_text(encoding="utf-8"))
    assert len(read) == len(cells) == len(compared.pairs) == 55
    for pair, row, (first, second, difference, *_) in zip(compared.pairs, read, cells, strict=True):
        assert row["difference_bits"] == pytest.approx(pair.difference)
        assert row["p_holm"] == pytest.approx(pair.adjusted)
        assert row["decided"] == pair.decided
        assert (row["wins"], row["ties"], row["losses"]) == (pair.wins, pair.ties, pair.losses)
        assert (row["tasks"], row["clusters"]) == (60, 60)
        assert difference.replace("$-$", "-") == comparison.bits(pair.difference)
        for cell, name, seen in ((first, pair.first, "first"), (second, pair.second, "second")):
            assert read_back(cell.removesuffix(r"$^{\dagger}$")) == name.replace("\x1b", "").replace("\n", " ")
            assert row[f"{seen}_sees_the_answer"] == (name == "perfect") == cell.endswith(r"$^{\dagger}$")


def test_one_cluster_leaves_cells_empty() -> None:
    ce = np.array([np.full(9, 2.4), np.full(9, 2.6)])
    scored = Paired(("a", "b"), ("a", "b"), ce, np.full(9, 2.0), np.full(9, 3.0), np.zeros(9, np.int64), (), 0)
    sheet = export.of_pairs(comparison.compare(scored, seed=0))
    assert sheet.rows["difference_low_bits"].to_list() == [None]
    assert "nan" not in export.WRITERS[".tex"](sheet)
    assert "NaN" not in export.WRITERS[".csv"](sheet)


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from("\\&%$#_{}~^[]*-,'`\" "),
        max_size=12,
    )
)
def test_names_are_printed_as_they_are(name: str) -> None:
    from habitus_runners.prompts.titles import visible  # noqa: PLC0415 - what it hides is not ours to test

    assert read_back(export.escaped(name)) == visible(name)


def _pdflatex() -> bool:
    """Whether there is a LaTeX here with the packages that the tables name."""
    needed = ["kpsewhich", "booktabs.sty", "longtable.sty", "geometry.sty"]
    return (
        shutil.which("pdflatex") is not None
        and subprocess.run(needed, check=False, capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not _pdflatex(), reason="needs pdflatex with booktabs, longtable and geometry")
def test_latex_takes_it(run: export.Run, compared: comparison.Comparison, tmp_path: Path) -> None:
    export.write(tmp_path / "results.tex", export.of_results(run))
    export.write(tmp_path / "pairs.tex", export.of_pairs(compared))
    few = compared._replace(pairs=compared.pairs[:5])
    export.write(tmp_path / "few.tex", export.of_pairs(few))
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage[margin=2cm]{geometry}\usepackage{booktabs,longtable}\begin{document}"
        r"\input{results}\input{pairs}\input{few}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log
    assert "Overfull" not in log
    assert "undefined" not in log.lower()


def test_what_cannot_be_exported_is_said_in_one_line(run: export.Run, tmp_path: Path) -> None:
    for name in ("results.xlsx", "results"):
        with pytest.raises(HabitusError, match=rf"--out: expected a file that ends in \.csv or \.tex, got '{name}'"):
            export.write(tmp_path / name, export.of_results(run))
    with pytest.raises(HabitusError, match="--setup Q: expected one of A, B, C, N, all"):
        export.of_results(run, "Q")
    with pytest.raises(HabitusError, match="expected a run with a results table, found none"):
        export.read(tmp_path)
