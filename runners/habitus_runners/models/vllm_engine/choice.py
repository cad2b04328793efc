"""Method `choice`: the list is written title by title, each bound to one of those not yet taken.

The answer is always a JSON array of N titles as the prompt shows them, none taken twice. What is chosen in a round goes
up to and including the opening quote of the next title, so no choice begins another, and the text is cut where tokens
of a model end: `["` `Alien` `", "` `Heat`. The tokens written so far are put in front of the next round as they are: a
chat template that strips the text of an answer begun, or another split of it, cannot come between.
"""

from collections.abc import Mapping, Sequence

from habitus_runners.model import Answer, Request
from habitus_runners.models.vllm_engine.engine import Engine, Refused, Said, Sampling
from habitus_runners.models.vllm_engine.plan import Plan, seed_of_round

_NEXT = ', "'
_STOP = f'"{_NEXT}'  # never within a title: there, every quote has a backslash before it


def choose(engine: Engine, requests: Sequence[Request], plan: Plan) -> list[Answer]:
    """N rounds, each for all requests together."""
    lists = [_List(plan.checked(request), plan) for request in requests]
    for number in range(plan.length):
        unended = [one for one in lists if not one.error]
        sampled = [one.sampling(number) for one in unended]
        if number == 0:
            prompts = [one.request.prompt for one in unended]
            said = engine.chat(list(zip(prompts, sampled, strict=True)))
        else:
            said = engine.go_on(list(zip([one.ids for one in unended], sampled, strict=True)))
        for one, outcome in zip(unended, said, strict=True):
            one.take(number, outcome)
    return [one.answer() for one in lists]


def choices(titles: Sequence[str], *, first: bool, last: bool) -> dict[str, str]:
    """What may be written in a round -> the title that it names. Equal titles are one choice.

    >>> choices(['"A"', '"B"'], first=True, last=False)
    {'["A", "': '"A"', '["B", "': '"B"'}
    >>> choices(['"B"'], first=False, last=True)
    {'B"]': '"B"'}
    """
    return {("[" + title if first else title[1:]) + ("]" if last else _NEXT): title for title in titles}


class _List:
    """One answer as it grows."""

    def __init__(self, request: Request, plan: Plan) -> None:
        self.request = request
        self.ids: list[int] = []
        self.error: str | None = None
        self._plan = plan
        self._left = list(request.titles)
        self._taken: list[str] = []
        self._tokens_in = 0

    def sampling(self, number: int) -> Sampling:
        offered = self._offered(number)
        whole = self._plan.sampling(self.request)
        return whole._replace(
            choice=tuple(offered),
            stop=None if self._last(number) else _STOP,
            max_tokens=max(len(choice.encode()) for choice in offered) + 1,  # a token is a byte at least; one ends it
            seed=seed_of_round(whole.seed, number),
            logprobs=False,
        )

    def take(self, number: int, said: Said | Refused) -> None:
        if isinstance(said, Refused):
            self.error = said.why
            return
        title = self._offered(number).get(said.text)
        if title is None:
            self.error = (
                f"title {number + 1}: expected one of those left, got {said.text[:80]!r} ({said.finish_reason})"
            )
            return
        if number == 0:
            self._tokens_in = len(said.prompt_ids)
        self._left.remove(title)
        self._taken.append(title)
        self.ids = [*said.prompt_ids, *said.ids]

    def answer(self) -> Answer:
        if self.error:
            return Answer(self.request.task_id, "", sample=self.request.sample, error=self.error)
        return Answer(
            self.request.task_id,
            f"[{', '.join(self._taken)}]",
            tokens_in=self._tokens_in,
            tokens_out=len(self.ids) - self._tokens_in,
            sample=self.request.sample,
        )

    def _offered(self, number: int) -> Mapping[str, str]:
        return choices(self._left, first=number == 0, last=self._last(number))

    def _last(self, number: int) -> bool:
        return number == self._plan.length - 1
