"""Method `logprobs`: how likely a model is to begin its list with each candidate.

log p(candidate) = sum over the tokens of ``["Title",`` of log p(token | prompt, tokens before it), in nats, with the
tokens that the model's tokenizer cuts this text into. The closing quote and the comma belong to it, as a model writes
them, and so no candidate begins another. The values are the model's own (temperature 1) and not normalised: those of
different titles are of events that exclude each other, and sum to less than 1.

The candidates' tokens form a tree. Every node is one question, "what comes after these tokens?", for its children: the
prompt is read once and then comes from the prefix cache. (`prompt_logprobs` would read it anew for every candidate:
vLLM does not use the cache there, and must not be made to.)
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from habitus_runners.model import Answer, Request, TokenLogprob
from habitus_runners.models.vllm_engine.engine import MOST_CHILDREN, Engine, Refused, Said, Sampling
from habitus_runners.models.vllm_engine.plan import Plan

Tokens = tuple[int, ...]


class Node(NamedTuple):
    """Tokens that some candidates begin with, and some of those that come next: at most MOST_CHILDREN."""

    before: Tokens
    children: Tokens


def rank(engine: Engine, requests: Sequence[Request], plan: Plan) -> list[Answer]:
    """The N most likely candidates as a JSON array; all K with their log-probabilities, in the prompt's order.

    Candidates that are equally likely keep the prompt's order.
    """
    end = "," if plan.length > 1 else "]"
    spelled = cache(lambda title: tuple(engine.encode(f"[{title}{end}")))
    scored = [_Scored(plan.checked(request), [spelled(title) for title in request.titles]) for request in requests]
    roots = engine.chat([(one.request.prompt, _question(one.nodes[0])) for one in scored])
    for one, said in zip(scored, roots, strict=True):
        one.take(one.nodes[0], said)
    unended = [(one, node) for one in scored if not one.error for node in one.nodes[1:]]
    outcomes = engine.go_on([((*one.prompt_ids, *node.before), _question(node)) for one, node in unended])
    for (one, node), said in zip(unended, outcomes, strict=True):
        one.take(node, said)
    return [one.answer(plan.length) for one in scored]


def tree(paths: Sequence[Tokens]) -> list[Node]:
    """Every node of the prefix tree of ``paths`` that has children, the root first, then by the order of the paths.

    >>> tree([(1, 2), (1, 3)])
    [Node(before=(), children=(1,)), Node(before=(1,), children=(2, 3))]
    """
    children: dict[Tokens, dict[int, None]] = {}
    for path in paths:
        for depth, token in enumerate(path):
            children.setdefault(path[:depth], {})[token] = None
    return [Node(before, part) for before, tokens in children.items() for part in _parts(tuple(tokens))]


def log_probability(path: Tokens, scored: Mapping[Tokens, Mapping[int, float]]) -> float:
    """Sum along ``path`` of what every node says of the next token, in nats."""
    return sum(scored[path[:depth]][token] for depth, token in enumerate(path))


def _parts(children: Tokens) -> Iterator[Tokens]:
    for start in range(0, len(children), MOST_CHILDREN):
        yield children[start : start + MOST_CHILDREN]


def _question(node: Node) -> Sampling:
    return Sampling(max_tokens=1, children=node.children)


class _Scored:
    """The candidates of one request, as their tree is answered."""

    def __init__(self, request: Request, paths: Sequence[Tokens]) -> None:
        self.request = request
        self.nodes = tree(paths)
        self.prompt_ids: Sequence[int] = ()
        self.error: str | None = None
        self._paths = paths
        self._scored: dict[Tokens, dict[int, float]] = {}

    def take(self, node: Node, said: Said | Refused) -> None:
        if isinstance(said, Refused):
            self.error = said.why
            return
        if not node.before:
            self.prompt_ids = said.prompt_ids
        self._scored.setdefault(node.before, {}).update({token: said.children[token] for token in node.children})

    def answer(self, length: int) -> Answer:
        if self.error:
            return Answer(self.request.task_id, "", sample=self.request.sample, error=self.error)
        titles = self.request.titles
        values = [log_probability(path, self._scored) for path in self._paths]
        best = sorted(range(len(titles)), key=lambda position: -values[position])[:length]
        return Answer(
            self.request.task_id,
            f"[{', '.join(titles[position] for position in best)}]",
            tokens_in=len(self.prompt_ids),
            tokens_out=len(self.nodes),
            sample=self.request.sample,
            token_logprobs=[
                TokenLogprob(json.loads(title), value) for title, value in zip(titles, values, strict=True)
            ],
        )
