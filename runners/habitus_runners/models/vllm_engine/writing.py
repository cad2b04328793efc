"""Methods `text` and `numbers`: one answer per prompt, as the model writes it, or bound to numbers of candidates."""

from collections.abc import Sequence

from habitus_runners.model import Answer, Request
from habitus_runners.models.vllm_engine.engine import Engine, Refused, Said
from habitus_runners.models.vllm_engine.plan import Plan


def text(engine: Engine, requests: Sequence[Request], plan: Plan) -> list[Answer]:
    """Free text."""
    said = engine.chat([(request.prompt, plan.sampling(request)) for request in requests])
    return [_answer(request, one) for request, one in zip(requests, said, strict=True)]


def numbers(engine: Engine, requests: Sequence[Request], plan: Plan) -> list[Answer]:
    """``{"ranking": [...]}`` with N numbers of candidates, each from 1 to K; a number may come twice."""
    asked = [
        (request.prompt, plan.sampling(request)._replace(regex=ranking(len(request.titles), plan.length)))
        for request in map(plan.checked, requests)
    ]
    return [_answer(request, one) for request, one in zip(requests, engine.chat(asked), strict=True)]


def ranking(candidates: int, length: int) -> str:
    r"""The JSON schema of a ranking as a regular expression, spaced as ``json.dumps`` does it.

    Under the schema itself JSON may hold any white space, without a bound but ``max_tokens``: answers of a model with
    random weights were mostly white space.

    >>> ranking(3, 2)
    '\\{"ranking": \\[(1|2|3)(, (1|2|3)){1}\\]\\}'
    """
    number = f"({'|'.join(map(str, range(1, candidates + 1)))})"
    return rf'\{{"ranking": \[{number}(, {number}){{{length - 1}}}\]\}}'


def _answer(request: Request, said: Said | Refused) -> Answer:
    if isinstance(said, Refused):
        return Answer(request.task_id, "", sample=request.sample, error=said.why)
    return Answer(
        request.task_id,
        said.text,
        said.finish_reason,
        len(said.prompt_ids),
        len(said.ids),
        sample=request.sample,
        token_logprobs=said.tokens,
    )
