"""The whole report: one file, no network, nothing of the data executed, three formats of every figure."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from tests.runners.report.simulation import Run, simulate

from habitus_runners import report
from habitus_runners.errors import HabitusError
from habitus_runners.report.summary import number

HOSTILE = '<script>alert(1)</script>"onerror="x'
SIGNATURES = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


class Page(HTMLParser):
    """Every tag, attribute and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag with its attributes."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data

    def values(self, tag: str, attribute: str) -> list[str]:
        """One attribute of every tag that has it."""
        return [found[attribute] for name, found in self.tags if name == tag and attribute in found]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    run = simulate({"popularity": 0.4, "vllm:x": 2.0, "reversed": -1.0}, per_cell=20)
    return run, report.build(run.tables, run.manifest, tmp_path_factory.mktemp("run"))


def test_the_page_asks_for_nothing(built: tuple[Run, Path]) -> None:
    page = Page(built[1])
    policy = next(found["content"] for name, found in page.tags if found.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert {name for name, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
    assert all(source.startswith("data:image/") for source in page.values("img", "src"))
    outside = [link for link in page.values("a", "href") if "://" in link]
    assert outside == ["https://arxiv.org/abs/2507.05266"]
    assert not re.search(r"url\(|@import", built[1].read_text(encoding="utf-8"))


def test_links_and_headings_lead_somewhere(built: tuple[Run, Path]) -> None:
    page = Page(built[1])
    ids = {found["id"] for _, found in page.tags if "id" in found}
    for link in page.values("a", "href"):
        if link.startswith("#"):
            assert link[1:] in ids
        elif "://" not in link:
            assert (built[1].parent / link).is_file()
    assert all(page.values("img", "alt"))
    assert len(page.values("img", "alt")) == len(page.values("img", "src"))


def test_every_figure_comes_in_three_formats(built: tuple[Run, Path]) -> None:
    figures = built[1].parent / "figures"
    names = {path.stem for path in figures.iterdir()}
    models = len(built[0].manifest["models"])
    assert {"curves", "smooths", "skill-entropy", "skill-group-size"} < names
    assert len(names) == 4 + 2 * models
    for name in names:
        for suffix, signature in SIGNATURES.items():
            content = (figures / f"{name}{suffix}").read_bytes()
            assert content.startswith(signature)
            assert len(content) > 10_000


def test_the_same_tables_give_the_same_bytes_and_progress_counts_models(tmp_path: Path) -> None:
    run = simulate({"random": 9.0}, per_cell=3)
    folders = [tmp_path / "a", tmp_path / "b"]
    said: list[tuple[str, int, int | None]] = []
    for folder in folders:
        report.build(
            run.tables, run.manifest, folder, lambda stage, done, total=None: said.append((stage, done, total))
        )
    written = [{path.name: path.read_bytes() for path in folder.rglob("*.*")} for folder in folders]
    assert written[0] == written[1]
    assert len(written[0]) == 1 + 3 * 6
    assert said == [("report", 0, 1), ("report", 1, 1)] * 2


def test_the_tables_are_those_of_results(built: tuple[Run, Path]) -> None:
    run, path = built
    first = {}
    rows = re.findall(r"<tr>(<td class=\"name\">.*?)</tr>", path.read_text(encoding="utf-8"))
    for row in rows[: len(run.manifest["models"])]:
        cells = [re.sub(r"<small.*?</small>|<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", row)]
        first[cells[0]] = cells[1:]
    pooled = [
        row for row in run.tables["results"].to_pylist() if {row["setup"], row["level"], row["history"]} == {"all"}
    ]
    assert len(first) == len(pooled)
    for row in pooled:
        skill, ceiling, gap, bounded, area, inversion, smooth, valid, tasks, left_out, _ = first[row["model"]]
        bits = 1.4426950408889634
        assert (skill, ceiling) == (number(row["skill"], 3), number(row["ceiling"], 3))
        assert (gap, bounded) == (number(row["gap"] * bits, 3), number(row["bounded_skill"], 3))
        assert area == number(row["area"])
        for shown, kind in ((inversion, ""), (smooth, "lowess_")):
            turns = row[f"{kind}outcome"] == "value"
            assert shown == (number(row[f"{kind}inversion"] * bits) if turns else row[f"{kind}outcome"])
        assert valid == ("100.0 %" if row["validity"] == 1 else f"{100 * row['validity']:.1f} %")
        assert (tasks, left_out) == (f"{row['tasks']:,}", f"{row['excluded']} + {row['dropped']}")
    skills = [float(cells[0].replace("\N{MINUS SIGN}", "-")) for cells in first.values()]
    assert skills == sorted(skills, reverse=True)


def test_text_from_the_data_is_never_markup(tmp_path: Path) -> None:
    run = simulate({HOSTILE: 1.0, "_../../$\\frac{ 映画": 2.0}, per_cell=3)
    dataset = run.manifest["dataset"]
    dataset["name"] = dataset["notice"] = dataset["domain"]["items"] = HOSTILE
    dataset["findings"] = [{"kind": HOSTILE, "count": 1, "example": HOSTILE}]
    dataset["facts"] = {HOSTILE: 1}
    dataset["levels"][0]["name"] = HOSTILE
    path = report.build(run.tables, run.manifest, tmp_path / "run")
    page = Page(path)
    assert "script" not in {name for name, _ in page.tags}
    assert not any(attribute.startswith("on") for _, found in page.tags for attribute in found)
    assert page.text.count(HOSTILE) > 10
    assert {file.parent for file in tmp_path.rglob("*.png")} == {tmp_path / "run" / "figures"}


def test_one_model_and_no_demography(tmp_path: Path) -> None:
    run = simulate({"only": 1.0}, per_cell=30, lengths=(1, 3), dataset="world", levels=("none",))
    page = Page(report.build(run.tables, run.manifest, tmp_path))
    assert "B: history only (60 tasks)" in page.text
    assert "A: demography" not in page.text
    assert "only predicts what these groups watched" in page.text
    assert "paper's Table 1 (" not in page.text


def test_undefined_figures_stay_undefined(tmp_path: Path) -> None:
    run = simulate({"one": 1.0, "two": 2.0}, per_cell=1, lengths=(0,))
    results = run.tables["results"]
    empty = {name: pa.nulls(len(results), pa.float64()) for name in ("skill", "gap", "inversion", "area")}
    for name, column in empty.items():
        results = results.set_column(results.schema.get_field_index(name), results.schema.field(name), column)
    page = Page(report.build({**run.tables, "results": results}, run.manifest, tmp_path))
    assert "No model has a skill" in page.text
    assert "nan" not in page.text.lower().split()
    assert "undefined" in page.text


def test_scores_of_another_fill_are_refused(tmp_path: Path) -> None:
    run = simulate({"only": 1.0}, per_cell=1)
    run.manifest["settings"]["fill"] = "drop"
    with pytest.raises(HabitusError, match="expected scores with fill 'drop', found chance; run `habitus score`"):
        report.build(run.tables, run.manifest, tmp_path)
