"""Asking: who is asked what, which answers are known, and how they become the run's answers table.

A simulated model is computed again whenever its answers are missing. Every other model is asked through the ledger,
which keeps what was paid for: the run's table is a view of it, written whenever a model has answered or stopped.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from habitus_runners import models
from habitus_runners.calls import replies
from habitus_runners.datasets.dataset import Dataset
from habitus_runners.errors import Awaited, HabitusError, Incomplete, Stopped
from habitus_runners.model import Answer, Model, Request, TokenLogprob, answer_id
from habitus_runners.models.services import TEXT
from habitus_runners.progress import Progress, silent
from habitus_runners.prompts.match import Candidates
from habitus_runners.prompts.rankings import parse_answer
from habitus_runners.prompts.render import Prompts
from habitus_runners.settings import Settings
from habitus_runners.storage import RunFolder
from habitus_runners.tables import answers_schema

if TYPE_CHECKING:
    from concurrent.futures import Future

    from habitus_runners.calls.account import Account
    from habitus_runners.ledger import Ledger

_Early = Stopped | Awaited | Incomplete | KeyboardInterrupt


class Wanted(NamedTuple):
    """One row of the answers table to be. Tasks with the same prompt may share an answer, and so its id."""

    answer_id: str
    request: Request

    @property
    def row(self) -> tuple[str, str]:
        """What tells rows of the answers table apart."""
        return self.answer_id, self.request.task_id


class Outcome(NamedTuple):
    """What a model gave, by answer id, and why it ended early if it did."""

    answers: Mapping[str, Answer]
    early: _Early | None = None


def ask(
    folder: RunFolder,
    dataset: Dataset,
    wanted: Settings,
    askers: Sequence[models.Asker],
    account: "Account | None" = None,
    *,
    progress: Progress = silent,
) -> list[HabitusError]:
    """Have every model answer every task, except for answers that are known; the table is written model by model.

    A request that failed is made again, and its new answer takes the failure's place.

    Args:
        folder: with tasks.
        dataset: that the tasks were drawn from.
        wanted: the study's settings.
        askers: ``models.askers``.
        account: shared by all models that are not simulated.
        progress: told how many models are done.

    Returns:
        Why models did not answer everything, or what is awaited from them.

    Raises:
        HabitusError: answers are there that were given to other prompts or by another revision of a model.
        KeyboardInterrupt: once what had been answered was written.
    """
    tasks = folder.read("tasks")
    evidence = models.Evidence(dataset, tasks, folder.read("members"), wanted)
    chosen = [(asker, models.create(asker, evidence, account)) for asker in askers]
    for _, model in chosen:
        getattr(model, "ready", _always)()
    by_method = {method: requests(dataset, wanted, tasks, method) for method in {asker.method for asker in askers}}
    _record(folder, [model for _, model in chosen], by_method)
    ends: list[HabitusError] = []
    for done, (asker, model) in enumerate(chosen, start=1):
        samples = 1 if asker.simulated else wanted.ask.samples
        rows = list(_rows_to_be(model, asker, by_method[asker.method], samples))
        early = _answered(folder, asker, model, rows, None if asker.simulated else account)
        if isinstance(early, KeyboardInterrupt):
            raise early
        ends += [early] if early else []
        progress("answers", done, len(chosen))
    return ends


def _always() -> None:
    """Most models need nothing before they can be asked."""


def requests(dataset: Dataset, settings: Settings, tasks: pa.Table, method: str) -> list[Request]:
    """What every task asks by one method, sample 0."""
    wording = prompts(dataset, settings, method)
    named = zip(tasks["task_id"].to_pylist(), wording.texts(tasks), wording.titles(tasks), strict=True)
    return [Request(row, task_id, text, titles) for row, (task_id, text, titles) in enumerate(named)]


def prompts(dataset: Dataset, settings: Settings, method: str = TEXT) -> Prompts:
    """The wording that the settings ask for.

    Raises:
        HabitusError: there is no such template, or it does not compile.
    """
    template = Path(settings.prompt.template) if settings.prompt.template else None
    return Prompts(dataset, settings, template, settings.prompt.language, method)


def readable(length: int) -> Callable[[Request, str, str], bool]:
    """Whether a text names as many candidates as were asked for, for those who count while answers come in."""

    def reads(request: Request, text: str, finish_reason: str) -> bool:
        candidates = Candidates([json.loads(title) for title in request.titles])
        return parse_answer("numbers", text, candidates, length, finish_reason).verdict in {"ok", "repaired"}

    return reads


def _rows_to_be(model: Model, asker: models.Asker, asked: Sequence[Request], samples: int) -> Iterator[Wanted]:
    for sample in range(samples):
        for request in asked:
            one = request._replace(sample=sample)
            yield Wanted(answer_id(model, one, by_task=asker.simulated), one)


def _answered(
    folder: RunFolder, asker: models.Asker, model: Model, rows: Sequence[Wanted], account: "Account | None"
) -> _Early | None:
    """Add what is missing of a model's answers to the run's table; those that it has stay."""
    table = folder.read("answers") if folder.has("answers") else answers_schema().empty_table()
    there = set(_row_keys(table.filter(pc.is_null(table["error"]))))
    missing = [one for one in rows if one.row not in there]
    if not missing:
        return None
    given = _from_ledger(asker, model, missing, account) if account else _asked(model, dict(missing))
    unanswered = str(given.early) if isinstance(given.early, HabitusError) else "no answer came"
    failed = Answer("", "", error=unanswered)
    answers = [(one, given.answers.get(one.answer_id, failed)) for one in missing]
    replaced = {one.row for one in missing}
    kept = table.filter(pa.array([key not in replaced for key in _row_keys(table)], pa.bool_()))
    folder.write("answers", pa.concat_tables([kept, _table(model, asker, answers)]).unify_dictionaries())
    return given.early or _incomplete(model, [answer.error for _, answer in answers if answer.error is not None])


def _incomplete(model: Model, errors: Sequence[str]) -> Incomplete | None:
    if not errors:
        return None
    some = f"requests that failed: {len(errors):,}, as in: {errors[0]}"
    return Incomplete(f"{model.name}: {some}; `habitus resume` asks again")


def _from_ledger(asker: models.Asker, model: Model, missing: Sequence[Wanted], account: "Account") -> Outcome:
    """Ask for what the ledger does not know. What it knows counts, whoever asked for it."""
    by_id = dict(missing)
    known = account.ledger.known(by_id)
    unknown = {key: request for key, request in by_id.items() if key not in known}
    keeper = None if asker.keeps else _Keeper(account.ledger, model, asker.method)
    given = _asked(model, unknown, keeper) if unknown else Outcome({})
    known |= account.ledger.known(unknown)
    kept = {key: replies.answer(by_id[key], reply) for key, reply in known.items()}
    return given._replace(answers={**given.answers, **kept})


class _Keeper:
    """Puts answers into the ledger as they come, without waiting for each; ``finish`` waits for all."""

    def __init__(self, ledger: "Ledger", model: Model, method: str) -> None:
        self._ledger, self._model, self._method = ledger, model, method
        self._waiting: deque[Future[None]] = deque()

    def keep(self, key: str, request: Request, answer: Answer) -> None:
        from habitus_runners.ledger import Question, Reply  # noqa: PLC0415 - a run of simulated models has no ledger

        question = Question(key, self._model.name, self._model.revision, self._method, request.prompt, request.sample)
        given = answer._asdict()
        reply = Reply(**{name: given[name] for name in Reply._fields if name in given})
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft().result()
        self._waiting.append(self._ledger.keep_soon([(question, reply)]))

    def finish(self) -> None:
        while self._waiting:
            self._waiting.popleft().result()


def _asked(model: Model, unknown: Mapping[str, Request], keeper: _Keeper | None = None) -> Outcome:
    ids = {(request.task_id, request.sample): key for key, request in unknown.items()}
    answers: dict[str, Answer] = {}
    early: _Early | None = None
    try:
        for answer in model.answers(list(unknown.values())):
            key = ids.get((answer.task_id, answer.sample))
            if key is None:
                raise HabitusError(f"{model.name}: expected answers to what was asked, got one to {answer.task_id!r}")
            answers[key] = _storable(answer)
            if keeper and answer.error is None:
                keeper.keep(key, unknown[key], answers[key])
    except (Stopped, Awaited, KeyboardInterrupt) as end:
        early = end
    finally:
        if keeper:
            keeper.finish()
    return Outcome(answers, early)


def _storable(answer: Answer) -> Answer:
    """The same without lone surrogates, which JSON may hold and neither Arrow nor SQLite can."""
    pairs = answer.token_logprobs
    return answer._replace(
        text=_utf8(answer.text),
        error=None if answer.error is None else _utf8(answer.error),
        token_logprobs=pairs and [TokenLogprob(_utf8(token), logprob) for token, logprob in pairs],
    )


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _table(model: Model, asker: models.Asker, answers: Sequence[tuple[Wanted, Answer]]) -> pa.Table:
    schema = answers_schema()
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for one, answer in answers:
        row = answer._asdict() | {"answer_id": one.answer_id, "task_id": one.request.task_id}
        row |= {"model": model.name, "method": asker.method}
        if answer.token_logprobs is not None:
            row["token_logprobs"] = [TokenLogprob(*pair)._asdict() for pair in answer.token_logprobs]
        for name, values in columns.items():
            values.append(row[name])
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _row_keys(table: pa.Table) -> Iterator[tuple[str, str]]:
    return zip(table["answer_id"].to_pylist(), table["task_id"].to_pylist(), strict=True)


def _record(folder: RunFolder, chosen: Sequence[Model], by_method: Mapping[str, Sequence[Request]]) -> None:
    """Note who is asked what. Answers to other prompts, or of another revision, would be pooled with the new ones."""
    before = folder.manifest
    revisions = {model["name"]: model["revision"] for model in before.get("models", [])}
    asked = {model.name: model.revision for model in chosen}
    prompts = {f"prompts of method {method}": _hash(given) for method, given in by_method.items()}
    earlier = before.get("prompts", {})
    if folder.has("answers"):
        changes = [
            f"{key} {earlier[key]} -> {prompts[key]}"
            for key in prompts
            if earlier.get(key, prompts[key]) != prompts[key]
        ]
        for name in asked.keys() & revisions.keys():
            changes += _revised(name, revisions[name], asked[name])
        if changes:
            raise HabitusError(
                f"{folder.path} holds answers to other requests: {', '.join(changes)}; choose another folder with --out"
            )
    everyone = [{"name": name, "revision": revision} for name, revision in (revisions | asked).items()]
    folder.record(models=everyone, prompts=earlier | prompts)


def _hash(given: Sequence[Request]) -> str:
    return hashlib.blake2b("\0".join(request.prompt for request in given).encode(), digest_size=16).hexdigest()


def _revised(name: str, before: str, after: str) -> list[str]:
    """What differs between two revisions, part by part where they have parts."""
    if before == after:
        return []
    parts = [_parts(before), _parts(after)]
    keys = sorted(parts[0].keys() | parts[1].keys())
    return [
        f"{name} {key} {parts[0].get(key)} -> {parts[1].get(key)}"
        for key in keys
        if parts[0].get(key) != parts[1].get(key)
    ]


def _parts(revision: str) -> dict[str, Any]:
    try:
        parts = json.loads(revision)
    except ValueError:
        parts = None
    return parts if isinstance(parts, dict) else {"revision": revision}
