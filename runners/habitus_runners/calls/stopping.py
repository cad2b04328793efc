"""When one failure speaks for all questions: the rules by which asking stops."""

import time

from habitus_runners.calls.outcomes import UNREADABLE, Failure, Verdict

_REFUSED = frozenset({401, 403, 404})
_ADVICE = {
    401: "; expected a valid key in HABITUS_API_KEY or OPENAI_API_KEY, or in the keyring",
    403: "; the key may not be allowed to use this model",
    404: "; expected a model and an ask.base_url that the service knows",
}
_ONE_PROMPT_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "context_length_exceeded",
        "invalid_prompt",
        "prompt_too_long",
        "string_above_max_length",
    }
)
_ONE_PROMPT_WORDS = ("context length", "maximum context", "content management policy", "content policy", "too long")
_BAD_IN_A_ROW = 3
_BARREN_IN_A_ROW = 10
_BARREN_S = 120.0
_BARREN = frozenset({"connection", UNREADABLE})


class Tally:
    """Counts the failures since the last answer."""

    def __init__(self) -> None:
        self._any_answer = False
        self._bad = 0
        self._barren = 0
        self._began = time.monotonic()

    def answered(self) -> None:
        """A question was answered."""
        self._any_answer = True
        self._bad = 0

    def failed(self, failure: Failure, verdict: Verdict) -> str | None:
        """Why asking must stop, if this failure is a reason.

        Money that is used up, a refused key and an unknown model concern every question. So does a bad request unless
        it is about this prompt: before the first answer at once, later when it is the third in a row. A service that
        cannot be reached, or that speaks something else, is given up after two minutes without a single answer.
        """
        if verdict.action == "quota":
            return f"{failure}; the account has no quota left"
        if verdict.action == "fatal" and failure.status in _REFUSED:
            return f"{failure}{_ADVICE[failure.status]}"
        if verdict.action == "fatal":
            self._bad += 1
            if self._bad >= _BAD_IN_A_ROW or not (self._any_answer or _about_one_prompt(failure)):
                return str(failure)
        if failure.code in _BARREN and not self._any_answer:
            self._barren += 1
            if self._barren >= _BARREN_IN_A_ROW and time.monotonic() - self._began > _BARREN_S:
                return f"{failure}; expected a service that answers, see ask.base_url"
        return None


def _about_one_prompt(failure: Failure) -> bool:
    return failure.code in _ONE_PROMPT_CODES or any(words in failure.message.lower() for words in _ONE_PROMPT_WORDS)
