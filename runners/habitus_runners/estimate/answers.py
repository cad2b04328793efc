"""How long answers will be: what each method makes a model write about the titles of its prompts."""

import json
from collections.abc import Sequence

from habitus_runners.estimate.interval import Interval
from habitus_runners.estimate.tokens import Count
from habitus_runners.model import Request

_LOOKED_AT = 500


def tokens_out(requests: Sequence[Request], method: str, length: int, max_tokens: int, total: Count) -> Interval:
    """Tokens of all answers together.

    ``low``: the shortest titles, ``middle``: titles as they come (candidates stand in random order), ``high``: as long
    as an answer may be, since a model may reason or chat before it answers. ``logprobs`` asks for no text: one token
    per candidate at least, each token of each title at most.

    Args:
        requests: with their titles; of many, some hundreds at even distances stand for all.
        method: ``text``, ``numbers``, ``choice`` or ``logprobs``.
        length: N, of a list.
        max_tokens: of one answer.
        total: counts tokens.
    """
    if not requests:
        return Interval(0, 0, 0)
    some = requests[:: -(-len(requests) // _LOOKED_AT)]
    share = len(requests) / len(some)
    if method == "logprobs":
        every = total([_listed(request.titles) for request in some]).times(share)
        return every._replace(low=float(sum(len(request.titles) for request in requests)))
    least, likely = ([_answer(one, method, length, short=short) for one in some] for short in (True, False))
    low, middle = total(least).times(share).low, total(likely).times(share).middle
    high = float(max_tokens * len(requests))
    return Interval(min(low, high), min(middle, high), high)


def _answer(request: Request, method: str, length: int, *, short: bool) -> str:
    if method == "numbers":
        last = length if short else len(request.titles)
        return json.dumps({"ranking": list(range(last - length + 1, last + 1))})
    return _listed((sorted(request.titles, key=len) if short else request.titles)[:length])


def _listed(titles: Sequence[str]) -> str:
    return json.dumps(list(titles), ensure_ascii=False)
