"""How long calls take at the limits that were set, with what is assumed of the service."""

from typing import NamedTuple

from habitus_runners.estimate.interval import Interval
from habitus_runners.settings import Calls

# What hosted services are taken to need. One that is slower, or allows fewer calls than were set, takes longer.
ASSUMED = "0.3 to 3 s to the first token, then 150 to 20 tokens per second"
_FIRST_S = Interval(0.3, 0.6, 3)
_PER_TOKEN_S = Interval(1 / 150, 1 / 60, 1 / 20)
_MINUTE_S = 60


class Duration(NamedTuple):
    """Seconds, and which of concurrency, rpm and tpm binds at the middle."""

    seconds: Interval
    limit: str


def duration(prompts: int, tokens_in: Interval, tokens_out: Interval, calls: Calls) -> Duration:
    """Wall time of all calls: the longest of what the limits ask for.

    Args:
        prompts: calls.
        tokens_in: of all together.
        tokens_out: of all together.
        calls: the limits.
    """
    at_once = min(prompts, calls.concurrency)
    each = [
        first + out / max(1, prompts) * per_token
        for first, out, per_token in zip(_FIRST_S, tokens_out, _PER_TOKEN_S, strict=True)
    ]
    bounds = {"concurrency": [prompts * seconds / max(1, at_once) for seconds in each]}
    if calls.rpm:
        bounds["rpm"] = [prompts / calls.rpm * _MINUTE_S] * 3
    if calls.tpm:
        bounds["tpm"] = [tokens / calls.tpm * _MINUTE_S for tokens in tokens_in.plus(tokens_out)]
    longest = Interval(*(max(limits) for limits in zip(*bounds.values(), strict=True)))
    return Duration(longest, max(bounds, key=lambda name: bounds[name][1]))
