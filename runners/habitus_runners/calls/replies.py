"""What the ledger gives back, as the answer to a request."""

from typing import TYPE_CHECKING

from habitus_runners.model import Answer, Request, TokenLogprob

if TYPE_CHECKING:
    from habitus_runners.ledger import Reply


def answer(request: Request, reply: "Reply") -> Answer:
    """The answer to ``request`` that a reply is."""
    pairs = reply.token_logprobs
    return Answer(
        request.task_id,
        reply.text,
        reply.finish_reason,
        reply.tokens_in,
        reply.tokens_out,
        reply.cost,
        reply.latency_s,
        sample=request.sample,
        token_logprobs=None if pairs is None else [TokenLogprob(*pair) for pair in pairs],
    )
