"""Options that several commands share, and what they become: settings, a data set, an account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from habitus_runners.calls.account import Account
    from habitus_runners.datasets.dataset import Dataset
    from habitus_runners.progress import Progress
    from habitus_runners.settings import Settings

Preset = Literal["paper", "sound"]
Source = Annotated[Path | None, Parameter(name="--source")]
Changes = Annotated[list[str] | None, Parameter(name="--set", negative="")]
LedgerPath = Annotated[Path | None, Parameter(name="--ledger", env_var="HABITUS_LEDGER")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """What is studied."""

    dataset: Annotated[str, Parameter(name=["--dataset", "-d"])] = "world"
    "`world` (synthetic, its truth known), `ml-1m`, `lastfm-1k`, or a CONFIG.toml about your own tables."

    source: Source = None
    "A local zip or folder with the data set's files; without it they are downloaded."

    preset: Preset | None = None
    "`paper` (default) reproduces Saha & Choudhury (2025), `sound` can be defended statistically."

    seed: int | None = None
    "Of every random draw. Default: 0."

    set_: Changes = None
    "Set one key of the method anew, as in `--set history.match=1`; may be given again and again."

    out: Path | None = None
    "The run's folder. Default: habitus-runs/DATASET-PRESET-SEED."

    def settings(self, **further: Any) -> "Settings":  # noqa: ANN401 - values of settings
        """The settings these options ask for, with ``further`` keys where they are not None."""
        from habitus_runners.datasets import is_config  # noqa: PLC0415 - --help must not load it
        from habitus_runners.settings import settings  # noqa: PLC0415 - as above

        given: dict[str, Any] = {}
        if is_config(self.dataset):
            from habitus_runners.datasets import tabular  # noqa: PLC0415 - as above

            given = tabular.overrides(Path(self.dataset))
        options = {
            "preset": self.preset,
            "seed": self.seed,
            **{key.replace("__", "."): further[key] for key in further},
        }
        chosen = {key: value for key, value in options.items() if value is not None}
        return settings(overrides={**given, **changes(self.set_), **chosen})

    def folder(self, wanted: "Settings") -> Path:
        """Where the run is."""
        from habitus_runners.datasets import is_config  # noqa: PLC0415 - --help must not load it

        name = Path(self.dataset).parent.name or "config" if is_config(self.dataset) else self.dataset
        return self.out or Path("habitus-runs") / f"{name}-{wanted.preset}-{wanted.seed}"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class AskOptions:
    """Who is asked, and how."""

    model: Annotated[list[str] | None, Parameter(name=["--model", "-m"], negative="")] = None
    """Whom to ask; may be given again and again: a baseline, `openai:NAME`, `openai-batch:NAME`, `vllm:PATH`. Default:
    every baseline that makes sense for the data."""

    method: Annotated[list[str] | None, Parameter(name="--method", negative="")] = None
    """How services are asked: `text` (default), `numbers` (structured output), with vLLM also `choice` and `logprobs`;
    may be given again and again, each is reported apart."""

    base_url: Annotated[str | None, Parameter(name="--base-url")] = None
    "Of an OpenAI-compatible service: vLLM, llama.cpp, Ollama, Azure. Default: OpenAI's."

    max_cost: Annotated[float | None, Parameter(name="--max-cost")] = None
    "In USD, for this command: no call is made that could pass it."

    ledger: LedgerPath = None
    "Where paid answers are kept, for all runs. Default: the user's data folder."

    def further(self) -> dict[str, Any]:
        """The settings among these options."""
        return {"ask__base_url": self.base_url, "calls__max_cost": self.max_cost}


def changes(pairs: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE pairs; a value is JSON where it can be read as such, else text."""
    import json  # noqa: PLC0415 - --help must not load it

    from habitus_runners.errors import HabitusError  # noqa: PLC0415 - as above

    given: dict[str, Any] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise HabitusError(f"--set: expected KEY=VALUE, got {pair!r}")
        try:
            given[key] = json.loads(value)
        except ValueError:
            given[key] = value
    return given


def load(name: str, source: Path | None, wanted: "Settings", advance: "Progress") -> "Dataset":
    """Load a data set, and show its licence, its size, and what is wrong in it or will not be used."""
    from habitus_runners import datasets, terminal  # noqa: PLC0415 - --help must not load them
    from habitus_runners.tasks.material import peculiarities  # noqa: PLC0415 - as above

    published = datasets.notice(name)
    terminal.say(published)
    loaded = datasets.load(name, source, seed=wanted.seed, options=wanted.data, progress=advance)
    terminal.say("" if published else loaded.notice)
    terminal.show_dataset(loaded, peculiarities(loaded, wanted))
    return loaded


@contextmanager
def account(specs: list[str], path: Path | None, wanted: "Settings", advance: "Progress") -> Iterator["Account | None"]:
    """The ledger and the purse that all models of one command share; None where every model is simulated."""
    from habitus_runners import models  # noqa: PLC0415 - --help must not load it

    if all(models.Asker(spec).simulated for spec in specs):
        yield None
        return
    from habitus_runners.asking import readable  # noqa: PLC0415 - as above
    from habitus_runners.calls.account import Account  # noqa: PLC0415 - runs of simulated models need neither
    from habitus_runners.calls.purse import Purse  # noqa: PLC0415 - as above
    from habitus_runners.ledger import Ledger, default_path  # noqa: PLC0415 - as above

    with Ledger(path or default_path()) as ledger:
        yield Account(ledger, Purse(wanted.calls.max_cost), advance, readable(wanted.candidates.N))
