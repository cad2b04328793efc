"""CONFIG.toml: what a user says about his own tables. Checked here, used by tabular.py; reads no table."""

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationError, model_validator

from habitus_runners.errors import HabitusError
from habitus_runners.settings import Positive, Section, first_problem

Character = Annotated[str, Field(pattern=r"^[ -~\t]$")]
SEPARATORS = {".tsv": "\t", ".tab": "\t"}


class Data(Section):
    """The whole: its name, what to cite, and how many cells a table may have."""

    name: Annotated[str, Field(min_length=1)]
    notice: str = ""
    max_cells: Positive = 500_000_000


class Table(Section):
    """A Parquet file, or text with a header line. ``quote = ""`` where quotes are part of the text."""

    path: Path
    separator: Character | None = None
    quote: Annotated[str, Field(pattern=r"^[ -~]?$")] = '"'
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = "utf-8"

    @model_validator(mode="after")
    def _quote_is_no_separator(self) -> Self:
        if self.quote == self.divider:
            raise ValueError(f"separator and quote must differ, both are {self.quote!r}")
        return self

    @property
    def divider(self) -> str:
        """What stands between two fields: a tab in .tsv files, else a comma, unless it was said."""
        return self.separator or SEPARATORS.get(self.path.suffix.lower(), ",")


class Pairs(Table):
    """One row per interaction. Further rows of a pair are left out (``first``) or added up (``sum``: a log)."""

    layout: Literal["pairs"] = "pairs"
    user: str
    item: str
    value: str | None = None
    duplicates: Literal["first", "sum"] = "first"


class Matrix(Table):
    """One row per item and one column per user, or the reverse. A cell of 0 is no interaction."""

    layout: Literal["matrix"]
    rows: Literal["users", "items"]
    id: str


def _layout(given: Any) -> str:  # noqa: ANN401 -- pydantic hands over what the file holds
    return str(given.get("layout", "pairs")) if isinstance(given, dict) else str(getattr(given, "layout", "pairs"))


Interactions = Annotated[Annotated[Pairs, Tag("pairs")] | Annotated[Matrix, Tag("matrix")], Discriminator(_layout)]


class Attribute(Section):
    """A column of the users table; renamed by ``values``, or cut into bands at ``bins`` (each a band's least)."""

    column: str
    values: dict[str, str] = Field(default_factory=dict)
    bins: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    label: str | None = None

    @model_validator(mode="after")
    def _bands_are_named(self) -> Self:
        if list(self.bins) != sorted(set(self.bins)):
            raise ValueError("bins must ascend")
        if self.bins and self.names and len(self.names) != len(self.bins) + 1:
            raise ValueError(f"{len(self.bins)} bins make {len(self.bins) + 1} bands, so expected as many names")
        if self.bins and not self.names and not all(edge.is_integer() for edge in self.bins):
            raise ValueError("bins that are no integers need names")
        return self

    @property
    def bands(self) -> tuple[str, ...]:
        """One word per band: the given names, or ``under 18``, ``18-24``, ``25+``."""
        edges = [int(edge) for edge in self.bins]
        between = (f"{low}-{high - 1}" if high - 1 > low else f"{low}" for low, high in pairwise(edges))
        return self.names or (f"under {edges[0]}", *between, f"{edges[-1]}+")


def _column(given: Any) -> Any:  # noqa: ANN401 -- pydantic hands over what the file holds
    return {"column": given} if isinstance(given, str) else given


class Users(Table):
    """One row per user. Who is not in it is not a user."""

    id: str
    attributes: dict[str, Annotated[Attribute, BeforeValidator(_column)]] = Field(default_factory=dict)


class Items(Table):
    """One row per item. What is not in it is not an item."""

    id: str
    title: str


class Proxies(Section):
    """Levels and their attributes; users of a level's cells with fewer than its ``min_users`` are left out."""

    levels: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    min_users: dict[str, Positive] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _levels_exist(self) -> Self:
        if self.levels.get("none"):
            raise ValueError("the level none has no attributes")
        if unknown := sorted(set(self.min_users) - set(self.levels)):
            raise ValueError(f"min_users of {unknown[0]!r}: no such level among {list(self.levels)}")
        return self


class Words(Section):
    """What a prompt calls an item and what people do with it. ``domain`` chooses the template."""

    domain: str = "items"
    item: str = "item"
    items: str = "items"
    do: str = "choose"
    did: str = "chose"


class Config(Section):
    """A whole CONFIG.toml. ``settings`` is the caller's."""

    data: Data
    interactions: Interactions
    users: Users | None = None
    items: Items | None = None
    proxies: Proxies = Proxies()
    words: Words = Words()
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _attributes_exist(self) -> Self:
        known = self.users.attributes if self.users else {}
        for level, attributes in self.proxies.levels.items():
            for name in attributes:
                if name not in known:
                    raise ValueError(f"level {level!r} uses {name!r}, which is none of users.attributes {list(known)}")
        return self


def parse(path: Path) -> Config:
    """A CONFIG.toml, checked.

    Raises:
        HabitusError: no such file, no TOML, an unknown or missing key, a wrong value.
    """
    try:
        return Config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise HabitusError(f"{path}: expected a CONFIG.toml, got {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HabitusError(f"{path}: expected TOML in UTF-8, got {error}") from None
    except ValidationError as error:
        place, problem = first_problem(error)
        key = ".".join(part for part in place.split(".") if part not in {"pairs", "matrix"})
        raise HabitusError(f"{path}: {key or 'proxies'}: {problem}") from None


def overrides(path: Path) -> dict[str, Any]:
    """The [settings] table as it stands, for the caller to apply to a preset.

    Raises:
        HabitusError: as ``parse``.
    """
    return dict(parse(path).settings)
