"""What tokens cost: by a user's own file, else nothing on a local server, else by the list that genai-prices carries.

Nothing here uses the network. A price that is not known is None, never a guess.
"""

import importlib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from habitus_runners.errors import HabitusError
from habitus_runners.settings import Section, first_problem

_OPENAI = "https://api.openai.com/v1"
_SERVICES = ("openai", "openai-batch")
_PER = 1_000_000
_BATCH = 0.5
_PROBE = 1_000  # tokens: below every threshold from which a service charges long prompts more

_Dollars = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]


class Price(NamedTuple):
    """USD per token. ``cached`` is None where cached input costs as much as any; ``batch`` is a factor."""

    input: float
    output: float
    cached: float | None
    batch: float
    source: str

    def cost(self, tokens_in: int, tokens_out: int, cached_in: int = 0, *, batch: bool = False) -> float:
        """What a call costs, in USD.

        Args:
            tokens_in: of the prompt, cached ones among them.
            tokens_out: of the answer, hidden reasoning among them.
            cached_in: how many of ``tokens_in`` the service had cached.
            batch: whether it was part of a batch. The two discounts do not add up: the better one counts.

        >>> Price(2e-6, 8e-6, 1e-6, 0.5, "an example").cost(1000, 100)
        0.0028
        """
        factor = self.batch if batch else 1.0
        fresh = self.input * factor
        cached = fresh if self.cached is None else min(self.cached, fresh)
        known = min(cached_in, tokens_in)
        return (tokens_in - known) * fresh + known * cached + tokens_out * self.output * factor


class _Row(Section):
    """One model of a user's file, USD per million tokens."""

    input: _Dollars
    output: _Dollars
    cached: _Dollars | None = None
    batch: Annotated[float, Field(gt=0, le=1, strict=True)] = _BATCH


def find(model: str, base_url: str | None, file: Path | None = None) -> Price | None:
    """What a model costs, None if that is not known.

    Args:
        model: the service's name for it, or a spec such as ``openai:gpt-4o-mini``.
        base_url: where it is called; None: as ``service_url`` says.
        file: TOML of the user's own prices in USD per million tokens; a model that it names costs what it says.

    Raises:
        HabitusError: a file that cannot be read or is wrong (the key), or genai-prices is needed and missing.
    """
    service, _, argument = model.partition(":")
    name = argument if service in {*_SERVICES, "vllm"} else model
    own = _own(file) if file else {}
    if row := own.get(name):
        return Price(
            row.input / _PER,
            row.output / _PER,
            None if row.cached is None else row.cached / _PER,
            row.batch,
            str(file),
        )
    called = service_url(base_url)
    if service == "vllm" or is_local(called):
        return Price(0.0, 0.0, None, 1.0, "local")
    return _public(name, called)


def service_url(base_url: str | None) -> str:
    """Where a model is called: OPENAI_BASE_URL counts if there is no ``base_url``, and OpenAI's own service is last."""
    return base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI


def is_local(base_url: str) -> bool:
    """Whether a server runs on this machine, so that its tokens cost nothing.

    >>> is_local("http://127.0.0.1:8000/v1"), is_local("https://api.openai.com/v1")
    (True, False)
    """
    host = _parts(base_url)[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.hostname or "", parts.path


def _own(file: Path) -> Mapping[str, _Row]:
    try:
        with file.open("rb") as stream:
            tables = tomllib.load(stream)
    except (OSError, ValueError) as error:
        raise HabitusError(f"prices {file}: expected a readable TOML file: {error}") from None
    return {name: _row(file, name, table) for name, table in tables.items()}


def _row(file: Path, name: str, table: object) -> _Row:
    if isinstance(table, dict) and table and all(isinstance(value, dict) for value in table.values()):
        within = next(iter(table))
        raise HabitusError(f'prices {file}: expected a name with dots in quotes, as in ["{name}.{within}"]')
    try:
        return _Row.model_validate(table)
    except ValidationError as error:
        key, problem = first_problem(error)
        raise HabitusError(f"prices {file}: {'.'.join(filter(None, (name, key)))}: {problem}") from None


def _public(model: str, base_url: str) -> Price | None:
    """The price of today in the snapshot that was installed with genai-prices."""
    genai = _genai_prices()
    host, path = _parts(base_url)
    service = f"https://{host}{path}"  # a user or password before the host would hide it from the patterns

    def dollars(tokens: Mapping[str, int], context: Mapping[str, str] | None = None) -> Decimal:
        usage = genai.Usage(**tokens)
        total: Decimal = genai.calc_price(usage, model, provider_api_url=service, price_context=context).total_price
        return total

    try:
        known = genai.calc_price(genai.Usage(), model, provider_api_url=service)
    except LookupError:
        return None
    prices = known.model_price
    if prices.input_mtok is None or prices.output_mtok is None or prices.requests_kcount is not None:
        return None
    inwards, outwards = {"input_tokens": _PROBE}, {"output_tokens": _PROBE}
    read = {**inwards, "cache_read_tokens": _PROBE} if prices.cache_read_mtok is not None else None
    whole, in_batch = inwards | outwards, {"processing": "batch"}
    factor = float(dollars(whole, in_batch) / (dollars(whole) or 1)) or 1.0
    source = f"genai-prices {version('genai-prices')}, {known.provider.name} {known.model.id}"
    if factor == 1 and known.provider.id == "openai":
        factor, source = _BATCH, f"{source}; in a batch half of it, assumed"
    cached = float(dollars(read) / _PROBE) if read else None
    return Price(float(dollars(inwards) / _PROBE), float(dollars(outwards) / _PROBE), cached, factor, source)


def _genai_prices() -> Any:  # noqa: ANN401 - a module, imported where a price is asked for and not before
    try:
        return importlib.import_module("genai_prices")
    except ImportError:
        raise HabitusError(
            "expected the package genai-prices, found none; pip install 'habitus[openai]' brings it"
        ) from None
