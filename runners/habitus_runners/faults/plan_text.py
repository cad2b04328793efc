"""Plans as a command line can hold them: words such as ``TooMany:form=ms,after=0.1@0.05``."""

import dataclasses
import re
import typing
from collections.abc import Sequence
from typing import Any, NamedTuple

from habitus_runners.faults import behaviours, oddities
from habitus_runners.faults.asked import Behaviour
from habitus_runners.faults.batch_ends import BatchEnd
from habitus_runners.faults.plans import InTurn, Mixture, Plan

_WORD = re.compile(r"(?P<name>\w+)(?::(?P<fields>[^@]*))?(?:@(?P<share>[0-9.]+))?")
_FLAGS = {"true": True, "false": False, "none": None}


class _Word(NamedTuple):
    behaviour: Behaviour
    share: float | None


def _kinds() -> dict[str, type[Any]]:
    found = {}
    for module in (behaviours, oddities):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and dataclasses.is_dataclass(kind) and hasattr(kind, "script"):
                found[name.lower()] = kind
    return found


def plan_of(words: Sequence[str]) -> Plan:
    """A plan from words.

    One word: always that. Several: in turn, then all goes well. With ``@SHARE`` behind each: by chance.

    >>> plan_of(["Quota:after=3"])
    Quota(after=3)
    >>> plan_of(["hang", "toomany:form=ms"]).behaviours
    [Hang(done=False), TooMany(form='ms', after=0.05, status=429)]
    >>> plan_of(["status:status=503@0.1"]).shares[0][1]
    0.1

    Raises:
        ValueError: a word that is no behaviour, a field that it has not, shares behind some words only.
    """
    read = [_read(word) for word in words]
    shares = [(word.behaviour, word.share) for word in read if word.share is not None]
    if shares and len(shares) < len(read):
        raise ValueError(f"expected @SHARE behind every behaviour or none, got {' '.join(words)}")
    if shares:
        return Mixture(shares)
    return read[0].behaviour if len(read) == 1 else InTurn([word.behaviour for word in read])


def batch_end_of(word: str) -> BatchEnd:
    """A batch's end from a word.

    >>> batch_end_of("expired:polls=2,answered=0.5,errors=429+500").errors
    (429, 500)
    """
    end, _, fields = word.partition(":")
    made: BatchEnd = _made(BatchEnd, f"end={end}" + (f",{fields}" if fields else ""))
    return made


def _read(word: str) -> _Word:
    match, kinds = _WORD.fullmatch(word), _kinds()
    if match is None or match["name"].lower() not in kinds:
        raise ValueError(f"expected one of {', '.join(sorted(kinds))}, got {word!r}")
    behaviour = _made(kinds[match["name"].lower()], match["fields"])
    return _Word(behaviour, None if match["share"] is None else float(match["share"]))


def _made(kind: type[Any], fields: str | None) -> Any:  # noqa: ANN401 - whatever the kind makes
    types = typing.get_type_hints(kind)
    given: dict[str, Any] = {}
    for pair in filter(None, (fields or "").split(",")):
        name, _, text = pair.partition("=")
        if name not in types:
            raise ValueError(f"expected {kind.__name__} with {', '.join(types) or 'no field'}, got {name!r}")
        given[name] = _value(text, types[name])
    return kind(**given)


def _value(text: str, kind: Any) -> Any:  # noqa: ANN401 - by the field's type
    """Text as the field's type; of what is a choice, one of the choices."""
    if typing.get_origin(kind) is typing.Literal:
        if text not in typing.get_args(kind):
            raise ValueError(f"expected one of {', '.join(typing.get_args(kind))}, got {text!r}")
        return text
    if kind in {int, float, str}:
        return kind(text)
    if typing.get_origin(kind) is tuple:
        return tuple(int(part) for part in text.split("+"))
    if text.lower() in _FLAGS:
        return _FLAGS[text.lower()]
    return _read(text).behaviour
