"""Tasks become prompts, by a template per domain and language: wording in templates/, values from here."""

import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import HabitusError
from habitus_runners.prompts.titles import quoted, shown
from habitus_runners.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"
WITH_PERSON = frozenset("AC")
WITH_HISTORY = frozenset("AB")
TEXT, NUMBERS = "text", "numbers"

# What a template of a user can raise while it runs, beside jinja2's own errors.
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Prompts:
    """Renders the tasks of one data set.

    Args:
        dataset: gives titles, labels and the domain's words.
        settings: gives N and K.
        template: a user's own file. Default: the template of the domain, else the generic one.
        language: of the built-in templates.
        method: how answers name candidates: by number for NUMBERS, else by title. A template sees ``numbered``, and
            each candidate with its number before it.

    Raises:
        HabitusError: no such template or language, or a template that cannot be read or compiled (file and line).
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        template: Path | None = None,
        language: str = "en",
        method: str = TEXT,
    ) -> None:
        if template and not template.is_file():
            raise HabitusError(f"prompt template: expected a file, found none at {template}")
        self.path = template or _built_in(dataset.domain.name, language)
        self._template = _compiled(self.path)
        self._labels = dataset.labels
        self._titles: list[str] = dataset.items["title"].to_list()
        self._quoted: dict[int, str] = {}
        domain = dataset.domain
        words = {"item": domain.item, "items": domain.items, "do": domain.do, "did": domain.did}
        self._numbered = method == NUMBERS
        numbers = {"n": settings.candidates.N, "k": settings.candidates.K}
        self._constants = words | numbers | {"numbered": self._numbered}

    def text(self, row: Mapping[str, Any]) -> str:
        """The prompt of one row of the tasks table.

        Raises:
            HabitusError: the template fails on it (file and line).
        """
        candidates: Sequence[str] = self._all_quoted(row["candidates"])
        if self._numbered:
            candidates = [f"{number}. {title}" for number, title in enumerate(candidates, start=1)]
        try:
            return self._template.render(
                self._constants,
                who=self._who(row["value"] or {}) if row["setup"] in WITH_PERSON else [],
                history=self._all_quoted(row["history"] or ()) if row["setup"] in WITH_HISTORY else [],
                candidates=candidates,
            )
        except _FAULTS as error:
            raise _template_error(self.path, error) from error

    def texts(self, tasks: pa.Table) -> list[str]:
        """The prompts of all tasks, in order."""
        rows = tasks.select(["setup", "value", "history", "candidates"])
        return [self.text(row) for batch in rows.to_batches() for row in batch.to_pylist()]

    def titles(self, tasks: pa.Table) -> list[tuple[str, ...]]:
        """The candidates of all tasks, in order, each as the prompt shows it: a JSON string; not its number."""
        return [tuple(self._all_quoted(items)) for items in tasks["candidates"].to_pylist()]

    def _who(self, value: Mapping[str, str | None]) -> list[tuple[str, str]]:
        return [
            (label, shown(value[name] or "")) for name, label in self._labels.items() if value.get(name) is not None
        ]

    def _all_quoted(self, items: Iterable[int]) -> list[str]:
        known = self._quoted
        return [known.get(item) or known.setdefault(item, quoted(self._titles[item])) for item in items]


def _built_in(domain: str, language: str) -> Path:
    for name in (domain, "generic"):
        path = TEMPLATES / f"{name}.{language}.jinja"
        if path.parent == TEMPLATES and path.is_file():
            return path
    languages = sorted({path.name.split(".")[1] for path in TEMPLATES.glob("*.jinja")})
    raise HabitusError(f"prompt language: expected {' or '.join(languages)}, or a template file, got {language!r}")


def _compiled(path: Path) -> Template:
    # No autoescape: a prompt is plain text, in which &amp; or &lt; would corrupt titles; they are JSON strings instead.
    environment = SandboxedEnvironment(
        loader=FileSystemLoader([path.parent, TEMPLATES]),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(path.name)
    except (TemplateError, OSError, UnicodeDecodeError) as error:
        raise _template_error(path, error) from error


def _template_error(path: Path, error: Exception) -> HabitusError:
    place = next(_places(error), str(path))
    return HabitusError(
        f"prompt template {place}: {error or type(error).__name__}; mend the template, or use the built-in one"
    )


def _places(error: Exception) -> Iterator[str]:
    """``file:line`` of a template, innermost first: a syntax error says its own, others leave it in the traceback."""
    if getattr(error, "filename", None):
        yield f"{error.filename}:{error.lineno}"  # type: ignore[attr-defined]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(".jinja") or Path(frame.filename).suffix != ".py":
            yield f"{frame.filename}:{frame.lineno}"
