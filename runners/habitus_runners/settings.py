"""Every key of the method, with its two presets: `paper` reproduces, `sound` can be defended (method, section 2)."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal, Self, TypedDict

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from habitus_runners.errors import HabitusError


def _fraction(value: object) -> Fraction:
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError("expected a share such as 3/5, 0.6 or 1") from None


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    if not values or len(set(values)) < len(values):
        raise ValueError("expected at least one length, and none twice")
    return values


Share = Annotated[Fraction, BeforeValidator(_fraction), PlainSerializer(str, return_type=str), Field(gt=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Estimator = Literal["plug-in", "miller-madow", "grassberger", "chao-shen", "james-stein", "dirichlet", "nsb"]
Lengths = Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], AfterValidator(_distinct)]


class Section(BaseModel):
    """A group of keys: unknown keys are refused, values are checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class History(Section):
    """Which items a prompt says the user knows, and who matches them."""

    lengths: Lengths = (0, 1, 3, 5, 10, 20)
    draw: Literal["uniform", "popularity"] = "uniform"
    nested: bool = False
    match: Share = Fraction(3, 5)

    def needed(self, length: int) -> int:
        """How many of ``length`` items a user must know: the least n with n >= match * length, in integers."""
        return math.ceil(self.match * length)


class Group(Section):
    """Which groups are large enough to have a distribution."""

    min_users: Positive = 3


class Draws(Section):
    """How many tasks are drawn and kept.

    ``fixed`` draws ``count`` per proxy value and history length, and keeps a uniform sample of ``cap`` of the accepted
    ones per level and length; ``quota`` draws from the values in turn until ``cap`` are accepted per level and length,
    or ``tries`` were made. Without a history a value has at most ``candidates.sets`` draws under either.
    """

    rule: Literal["fixed", "quota"] = "fixed"
    count: Positive = 300
    cap: Positive = 300
    tries: Positive = 20_000


class Candidates(Section):
    """The K items a model ranks, and the length N of its list."""

    rule: Literal["half", "quintiles", "literal", "inventory"] = "half"
    K: Annotated[int, Field(ge=2, le=1024)] = 50
    N: Positive = 10
    sets: Positive = 1
    orders: Positive = 1

    @model_validator(mode="after")
    def _list_fits(self) -> Self:
        if self.N > self.K:
            raise ValueError(f"candidates.N must be at most candidates.K = {self.K}, got {self.N}")
        return self


class Target(Section):
    """What a group's behaviour is taken to be.

    ``smoothing``: add ``alpha`` (default 1/K) to every count, or shrink towards the behaviour of the population, as far
    as the data say (empirical Bayes). ``estimator``: of the entropy against which curves are drawn; ``plug-in`` is the
    entropy of the smoothed target.
    """

    kind: Literal["incidence", "user_mean", "events"] = "incidence"
    alpha: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    smoothing: Literal["alpha", "population"] = "alpha"
    estimator: Estimator = "plug-in"


class Users(Section):
    """How the users of a group are parted into those who say what is likely and those who judge.

    ``split``: 0 lets all do both; R is the number of random halves over which scores are averaged.
    """

    split: Annotated[int, Field(ge=0, le=1000)] = 0


class Prompt(Section):
    """What the model reads: a built-in template in this language, or a file of the user's own."""

    template: str | None = None
    language: str = "en"


class Ask(Section):
    """What a real model is asked beside the prompt. Every key is part of its answers' identity.

    ``null`` leaves a value to the service. ``extra`` is sent as it is, as in ``{"reasoning_effort": "low"}``.
    """

    base_url: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 0
    seed: int | None = 0
    samples: Positive = 1
    max_tokens: Positive = 1024
    logprobs: bool = False
    extra: dict[str, Any] = {}


class Calls(Section):
    """How fast a service is called and for how much: changes no answer.

    ``enqueued_tokens``: in batches that have not ended, as the service allows. ``prices``: a file of the user's own.
    """

    concurrency: Positive = 64
    rpm: Positive | None = None
    tpm: Positive | None = None
    enqueued_tokens: Positive | None = None
    timeout_s: Annotated[float, Field(gt=0)] = 120
    deadline_s: Annotated[float, Field(gt=0)] = 1800
    max_cost: Annotated[float, Field(ge=0)] | None = None
    prices: str | None = None


class Vllm(Section):
    """How vLLM is started. All but ``memory`` is part of its answers' identity."""

    revision: str | None = None
    tensor_parallel: Positive = 1
    dtype: str = "auto"
    max_model_len: Positive | None = None
    memory: Annotated[float, Field(gt=0, le=1)] = 0.9
    engine: dict[str, Any] = {}


class Polynomial(TypedDict):
    """How a curve of the kind ``polynomial`` is drawn."""

    bins: int
    window: int
    degree: int


class Curve(Section):
    """How points become a curve; both kinds are always drawn, ``kind`` is the one that the headline is about.

    ``polynomial``: of ``degree`` through rolling means of ``window`` of ``bins``; ``lowess``: of the raw tasks, with
    windows of ``fraction`` of them.
    """

    kind: Literal["polynomial", "lowess"] = "polynomial"
    bins: Annotated[int, Field(ge=1, le=100_000)] = 200
    window: Positive = 30
    degree: Annotated[int, Field(ge=2, le=8)] = 4
    fraction: Annotated[float, Field(gt=0, le=1)] = 0.2

    @property
    def polynomial(self) -> "Polynomial":
        """The arguments of ``habitus.curves.curve``."""
        return {"bins": self.bins, "window": self.window, "degree": self.degree}


class Uncertainty(Section):
    """How sure a figure is: ``resamples`` of users and tasks together, 0 for none."""

    resamples: Annotated[int, Field(ge=0, le=100_000)] = 200


class Settings(Section):
    """All keys of a study. ``preset`` says where the defaults came from; ``data`` goes to the data set's loader."""

    preset: Literal["paper", "sound"] = "paper"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    min_rating: Annotated[float, Field(allow_inf_nan=False)] = 1
    inventory: Literal["kept", "catalogue"] | Positive = "kept"
    setups: Literal["rows", "views"] = "rows"
    history: History = History()
    group: Group = Group()
    draws: Draws = Draws()
    candidates: Candidates = Candidates()
    target: Target = Target()
    users: Users = Users()
    prompt: Prompt = Prompt()
    ask: Ask = Ask()
    calls: Calls = Calls()
    vllm: Vllm = Vllm()
    fill: Literal["chance", "optimistic", "worst", "drop"] = "chance"
    curve: Curve = Curve()
    uncertainty: Uncertainty = Uncertainty()
    data: dict[str, Any] = {}

    @model_validator(mode="after")
    def _users_are_known(self) -> Self:
        if self.users.split and self.target.kind == "events":
            raise ValueError("users.split must be 0 with target.kind events: what each user did how often is not kept")
        return self

    def design(self) -> dict[str, Any]:
        """Dotted key -> value of everything that tasks and prompts depend on.

        Left out are scoring and curves, and what is asked of real models: that is in their ``revision``.
        """
        later = dict.fromkeys(("fill", "users", "curve", "uncertainty", "ask", "calls", "vllm"), True)
        scored = {"alpha", "smoothing", "estimator"}
        return _flat(self.model_dump(mode="json", exclude={**later, "target": scored}))

    def changed(self, overrides: Mapping[str, Any]) -> "Settings":
        """These settings with single dotted keys set anew.

        Raises:
            HabitusError: an unknown key, or a value out of its range.
        """
        return validated(_nested(self.model_dump(mode="json"), overrides))


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "paper": {},
    "sound": {
        "history": {"nested": True},
        "group": {"min_users": 6},
        "draws": {"rule": "quota"},
        "candidates": {"rule": "quintiles", "sets": 20},
        "target": {"kind": "user_mean", "smoothing": "population", "estimator": "nsb"},
        "users": {"split": 10},
        "setups": "views",
        "curve": {"kind": "lowess"},
    },
}


def settings(preset: str = "paper", overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a preset with single keys set anew.

    Args:
        preset: ``paper`` or ``sound``; an override of ``preset`` chooses another.
        overrides: dotted keys, as in ``{"history.match": "1", "draws.count": 50}``.

    Raises:
        HabitusError: an unknown preset or key, or a value out of its range.
    """
    given = {"preset": preset, **(overrides or {})}
    if given["preset"] not in PRESETS:
        raise HabitusError(f"preset: expected {' or '.join(PRESETS)}, got {given['preset']!r}")
    return validated(_nested(PRESETS[given["preset"]], given))


def validated(values: Mapping[str, Any]) -> Settings:
    """Settings from plain values (a manifest's, a CONFIG.toml's), or one line that names the key.

    Raises:
        HabitusError: an unknown key, or a value out of its range.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        key, problem = first_problem(error)
        raise HabitusError(f"setting {key}: {problem}") from None


def first_problem(error: ValidationError) -> tuple[str, str]:
    """The dotted key of the first thing that is wrong, and what was expected and came."""
    first = error.errors()[0]
    expected = first["msg"].removeprefix("Value error, ")
    came = "" if isinstance(first["input"], dict) else f", got {first['input']!r}"
    return ".".join(str(part) for part in first["loc"]), expected + came


def _nested(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``values`` with dotted keys set."""
    copy = {key: dict(value) if isinstance(value, Mapping) else value for key, value in values.items()}
    for key, value in overrides.items():
        *sections, name = key.split(".")
        place = copy
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise HabitusError(f"setting {key}: {section} is a value, not a section")
        place[name] = value
    return copy


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and key != "data":
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
