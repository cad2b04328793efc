"""vLLM's offline engine behind `engine.Engine`. Loaded at the first prompt; only `starting.py` knows vLLM too."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from vllm import SamplingParams
from vllm.exceptions import VLLMClientError
from vllm.sampling_params import StructuredOutputsParams

from habitus_runners.errors import HabitusError
from habitus_runners.model import TokenLogprob
from habitus_runners.models.vllm_engine.engine import Refused, Said, Sampling

if TYPE_CHECKING:
    from vllm import LLM
    from vllm.outputs import CompletionOutput, RequestOutput

CHAT = "chat_template_kwargs"  # the one key of ask.extra that is not about sampling; vLLM's server takes it too
Asked = TypeVar("Asked", bound=tuple[Any, Sampling])


class Offline:
    """An ``Engine`` around a running ``vllm.LLM``."""

    def __init__(self, llm: "LLM") -> None:
        self.llm = llm
        self._defaults = llm.model_config.get_diff_sampling_param()

    def encode(self, text: str) -> Sequence[int]:
        """The tokens of a text, without any that begin or end one."""
        return list(self.llm.get_tokenizer().encode(text, add_special_tokens=False))

    def chat(self, asked: Sequence[tuple[str, Sampling]]) -> list[Said | Refused]:
        """Answers to one user's message each, in the model's chat format."""
        return _each(asked, self._chat)

    def go_on(self, asked: Sequence[tuple[Sequence[int], Sampling]]) -> list[Said | Refused]:
        """What follows these tokens."""
        return _each(asked, self._go_on)

    def _chat(self, asked: Sequence[tuple[str, Sampling]]) -> list[Said | Refused]:
        outputs = self.llm.chat(
            [[{"role": "user", "content": prompt}] for prompt, _ in asked],
            [self._params(sampling) for _, sampling in asked],
            use_tqdm=False,
            chat_template_kwargs=asked[0][1].extra.get(CHAT),
        )
        return [_said(output, sampling) for output, (_, sampling) in zip(outputs, asked, strict=True)]

    def _go_on(self, asked: Sequence[tuple[Sequence[int], Sampling]]) -> list[Said | Refused]:
        outputs = self.llm.generate(
            [{"prompt_token_ids": list(ids)} for ids, _ in asked],
            [self._params(sampling) for _, sampling in asked],
            use_tqdm=False,
        )
        return [_said(output, sampling) for output, (_, sampling) in zip(outputs, asked, strict=True)]

    def _params(self, sampling: Sampling) -> SamplingParams:
        if sampling.children:
            scored = list(sampling.children)
            return SamplingParams(max_tokens=1, temperature=0, logprob_token_ids=scored, detokenize=False)
        given: dict[str, Any] = {key: value for key, value in sampling.extra.items() if key != CHAT}
        if sampling.temperature is not None:
            given["temperature"] = sampling.temperature
        bound = {
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
            "logprobs": 0 if sampling.logprobs else None,
            "stop": sampling.stop or given.get("stop"),
            "include_stop_str_in_output": sampling.stop is not None,
            "structured_outputs": _bounds(sampling),
        }
        try:
            return SamplingParams.from_optional(**{**self._defaults, **given, **bound})
        except (TypeError, ValueError, VLLMClientError) as error:  # no prompt has come into it: every one would fail
            why = str(error).partition("\n")[0]
            raise HabitusError(f"setting ask: expected what vLLM can sample by, got an error: {why}") from error


def _each(asked: Sequence[Asked], put: Callable[[Sequence[Asked]], list[Said | Refused]]) -> list[Said | Refused]:
    """Put all at once. vLLM takes all or none: where it refuses, each half is put, until the refused stand alone."""
    if not asked:
        return []
    try:
        return put(asked)
    except (VLLMClientError, ValueError) as error:
        if len(asked) == 1:
            return [Refused(f"vLLM refused the request: {str(error).partition(chr(10))[0]}")]
    middle = len(asked) // 2
    return [*_each(asked[:middle], put), *_each(asked[middle:], put)]


def _bounds(sampling: Sampling) -> StructuredOutputsParams | None:
    if sampling.choice:
        return StructuredOutputsParams(choice=list(sampling.choice))
    return StructuredOutputsParams(regex=sampling.regex) if sampling.regex else None


def _said(output: "RequestOutput", sampling: Sampling) -> Said:
    written = output.outputs[0]
    children = {}
    if sampling.children:
        children = {token: entry.logprob for token, entry in written.logprobs[0].items()}
    return Said(
        output.prompt_token_ids,
        list(written.token_ids),
        written.text,
        written.finish_reason or "stop",
        _tokens(written) if sampling.logprobs else None,
        children,
    )


def _tokens(written: "CompletionOutput") -> list[TokenLogprob]:
    entries = (by_token[token] for token, by_token in zip(written.token_ids, written.logprobs, strict=True))
    return [TokenLogprob(entry.decoded_token or "", entry.logprob) for entry in entries]
