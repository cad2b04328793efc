"""How many prompts a second each method of the `vllm` runner answers. Run: python benchmarks/bench_vllm.py [FOLDER].

FOLDER is a model as Hugging Face keeps them; without one it is a Llama of two layers, which measures the way around the
model: what vLLM and the runner do for a prompt. Last, the prefix tree of `logprobs` against the same numbers from
`prompt_logprobs`, one prompt per candidate, in turn on the same engine.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.runners.models.vllm_engine import tiny_llama

from habitus_runners.model import Request
from habitus_runners.models import vllm_engine
from habitus_runners.models.vllm_engine import starting
from habitus_runners.models.vllm_engine.runner import METHODS, VllmModel
from habitus_runners.prompts.titles import quoted
from habitus_runners.settings import Settings, settings

K, N, PROMPTS, SCORED, ROUNDS = 50, 10, 64, 4, 3
TITLES = [f"Invented Story {number * 7919}, The ({1920 + number % 80})" for number in range(3000)]


def requests(count: int, first: int) -> list[Request]:
    """Prompts that no earlier round has seen: their titles would be in the prefix cache."""
    made = []
    for number in range(first, first + count):
        shown = tuple(quoted(TITLES[(number * 31 + 17 * position) % len(TITLES)]) for position in range(K))
        prompt = "\n".join([f"Person {number}: reply with one JSON array of {N} titles.", *shown])
        made.append(Request(number, str(number), prompt, shown))
    return made


def by_prompt_logprobs(model: VllmModel, asked: list[Request]) -> list[list[float]]:
    """Every candidate written behind its prompt, and the whole read anew."""
    from vllm import SamplingParams  # noqa: PLC0415

    engine = starting.engine(model._arguments())  # noqa: SLF001
    tokenizer, behind, lengths = engine.llm.get_tokenizer(), [], []
    for request in asked:
        chat = [{"role": "user", "content": request.prompt}]
        text = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        prompt = tokenizer.encode(text, add_special_tokens=False)
        for title in request.titles:
            path = engine.encode(f"[{title},")
            behind.append({"prompt_token_ids": [*prompt, *path]})
            lengths.append(len(path))
    outputs = engine.llm.generate(behind, SamplingParams(max_tokens=1, prompt_logprobs=0), use_tqdm=False)
    values = [
        sum(
            step[token].logprob
            for token, step in zip(output.prompt_token_ids[-length:], output.prompt_logprobs[-length:], strict=True)
        )
        for output, length in zip(outputs, lengths, strict=True)
    ]
    return [values[start : start + K] for start in range(0, len(values), K)]


def compare(model: VllmModel) -> None:
    """The prefix tree and prompt_logprobs in turn, on the same prompts."""
    seconds: dict[str, list[float]] = {"prefix tree": [], "prompt_logprobs": []}
    engine = starting.engine(model._arguments())  # noqa: SLF001
    for turn in range(ROUNDS):
        asked = requests(SCORED, 100_000 + turn * SCORED)
        engine.llm.reset_prefix_cache()
        start = time.perf_counter()
        direct = by_prompt_logprobs(model, asked)
        seconds["prompt_logprobs"].append(time.perf_counter() - start)
        engine.llm.reset_prefix_cache()
        start = time.perf_counter()
        answers = list(model.answers(asked))
        seconds["prefix tree"].append(time.perf_counter() - start)
        for answer, expected in zip(answers, direct, strict=True):
            found = [value for _, value in answer.token_logprobs or ()]
            assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < 1e-2
    for way, taken in seconds.items():
        each = statistics.median(taken) / SCORED
        print(f"{K} candidates by {way}: {1 / each:.2f} prompts/s, {1e3 * each:.0f} ms each")
    ratio = statistics.median(seconds["prompt_logprobs"]) / statistics.median(seconds["prefix tree"])
    print(f"the prefix tree is {ratio:.1f} times as fast")


def measure(folder: Path, chosen: Settings) -> None:
    """Each method in turn, ROUNDS times."""
    models = {method: vllm_engine.create(str(folder), method, chosen, N) for method in METHODS}
    start = time.perf_counter()
    starting.engine(models["text"]._arguments())  # type: ignore[attr-defined]  # noqa: SLF001
    print(f"start: {time.perf_counter() - start:.1f} s")
    seconds: dict[str, list[float]] = {method: [] for method in models}
    for turn in range(ROUNDS):
        for at, (method, model) in enumerate(models.items()):
            count = SCORED if method == "logprobs" else PROMPTS
            asked = requests(count, (turn * len(models) + at) * PROMPTS)
            start = time.perf_counter()
            answers = list(model.answers(asked))
            seconds[method].append((time.perf_counter() - start) / count)
            assert not any(answer.error for answer in answers)
    for method, taken in seconds.items():
        print(f"{method}: {1 / statistics.median(taken):.1f} prompts/s, K = {K}, N = {N}")
    compare(models["logprobs"])  # type: ignore[arg-type]


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        if len(sys.argv) > 1:
            measure(Path(sys.argv[1]), settings("paper"))
            return
        folder = tiny_llama.make(Path(place) / "tiny", TITLES[:300])
        engine = {"enforce_eager": True, "max_num_batched_tokens": 16384}
        tiny = {"vllm.dtype": "float32", "vllm.memory": 0.3, "vllm.engine": engine, "ask.max_tokens": 64}
        measure(folder, settings("paper", tiny))


if __name__ == "__main__":
    main()
