"""What a run would cost before it costs anything: calls, tokens, dollars, time, and what its tasks could show."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from habitus_runners import prices
from habitus_runners.estimate.answers import tokens_out
from habitus_runners.estimate.interval import Interval
from habitus_runners.estimate.power import Detectable, detectable
from habitus_runners.estimate.tokens import Tokenizer, tokenizer
from habitus_runners.estimate.waiting import ASSUMED, duration
from habitus_runners.model import Request
from habitus_runners.prices import Price
from habitus_runners.settings import Settings

__all__ = ["Detectable", "Estimate", "Interval", "Job", "affordable", "estimates"]

_NO_DURATION = {
    "vllm": "this machine's speed is not known",
    "openai-batch": "a batch is promised within 24 hours",
    "local": "the local server's speed is not known",
}


class Job(NamedTuple):
    """One model, asked by one method. ``requests`` are the calls to be made: no ledger knows their answers.

    Requests that share an answer (the same prompt and sample) stand there once. ``known`` answers cost nothing.
    """

    spec: str
    method: str
    requests: Sequence[Request]
    known: int = 0


class Estimate(NamedTuple):
    """What a job would cost. ``prompts`` and ``known`` are exact counts; tokens and dollars are of all calls together.

    ``dollars`` is what this spec pays (a batch's price for a batch), ``batch_dollars`` what the same calls cost in
    batches, None where the service has no price for them. Without a price ``why_no_price`` says what to do; without a
    duration ``limit`` says why, else which limit binds.
    """

    model: str
    method: str
    prompts: int
    known: int
    tokens_in: Interval
    tokens_out: Interval
    tokenizer: str
    dollars: Interval | None
    batch_dollars: Interval | None
    price_source: str
    why_no_price: str
    duration_s: Interval | None
    limit: str
    detectable: Detectable


def estimates(jobs: Sequence[Job], settings: Settings, tasks: pa.Table, members: pa.Table) -> list[Estimate]:
    """What each job would cost, and what the tasks could show.

    Args:
        jobs: models with what they are to be asked.
        settings: of the study.
        tasks: the tasks table: all of it, answered or not.
        members: the members table.

    Raises:
        HabitusError: the user's file of prices is wrong, or genai-prices is needed and missing.
    """
    able = detectable(tasks, members, settings)
    return [_estimate(job, settings, able) for job in jobs]


def affordable(estimate: Estimate, budget: float) -> Interval | None:
    """How many of the calls a budget in USD pays for, all calls being alike; None without a price.

    ``low`` is if every call costs the most, ``high`` if each costs the least.
    """
    if estimate.dollars is None:
        return None
    return Interval(*(_fitting(estimate.prompts, dollars, budget) for dollars in reversed(estimate.dollars)))


def _fitting(prompts: int, dollars: float, budget: float) -> int:
    return prompts if dollars <= budget else math.floor(prompts * budget / dollars)


def _estimate(job: Job, settings: Settings, able: Detectable) -> Estimate:
    service, _, name = job.spec.partition(":")
    counting = tokenizer(name or service)
    inwards = _tokens_in(job, settings, counting)
    outwards = tokens_out(job.requests, job.method, settings.candidates.N, settings.ask.max_tokens, counting.total)
    file = Path(settings.calls.prices) if settings.calls.prices else None
    price = prices.find(job.spec, settings.ask.base_url, file)
    dollars, batch_dollars = _dollars(price, inwards, outwards)
    local = prices.is_local(prices.service_url(settings.ask.base_url))
    without = _NO_DURATION.get(service) or (_NO_DURATION["local"] if local else "")
    timed = None if without else duration(len(job.requests), inwards, outwards, settings.calls)
    return Estimate(
        job.spec,
        job.method,
        len(job.requests),
        job.known,
        inwards,
        outwards,
        counting.name,
        batch_dollars if service == "openai-batch" else dollars,
        batch_dollars,
        price.source if price else "",
        ""
        if price
        else f"no price of {name or service} is known; write it into a file, and its path into calls.prices",
        timed.seconds if timed else None,
        f"{timed.limit}, at {ASSUMED}" if timed else without,
        able,
    )


def _tokens_in(job: Job, settings: Settings, counting: Tokenizer) -> Interval:
    """Prompts with what a chat puts around them. vLLM's methods of many rounds read a prompt once: it is cached."""
    prompts = counting.total([request.prompt for request in job.requests])
    around = counting.chat
    if job.method == "numbers" and job.requests:
        schema = counting.total([json.dumps(_schema(len(job.requests[0].titles), settings.candidates.N))])
        around = around.plus(schema._replace(low=0))  # a service may show the schema to the model, and charge for it
    return prompts.plus(around.times(len(job.requests)))


def _schema(candidates: int, length: int) -> dict[str, object]:
    """About what a request for numbered answers holds beside its prompt."""
    numbers = {"type": "integer", "enum": list(range(1, candidates + 1))}
    ranking = {"type": "array", "items": numbers, "minItems": length, "maxItems": length}
    return {
        "type": "object",
        "properties": {"ranking": ranking},
        "required": ["ranking"],
        "additionalProperties": False,
    }


def _dollars(price: Price | None, tokens_in: Interval, tokens_out: Interval) -> tuple[Interval | None, Interval | None]:
    """Now, and in batches. Nothing is taken to be cached: what prompts share is shorter than what services cache."""
    if price is None:
        return None, None
    each = list(zip(tokens_in, tokens_out, strict=True))
    now, later = (
        Interval(*(price.cost(math.ceil(inwards), math.ceil(outwards), batch=batch) for inwards, outwards in each))
        for batch in (False, True)
    )
    return now, later if price.batch < 1 else None
