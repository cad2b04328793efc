"""The four methods on a real engine with a tiny model, against vLLM asked directly and transformers' forward pass."""

import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest
from tests.runners.models.vllm_engine.conftest import requests

from habitus_runners.errors import HabitusError
from habitus_runners.model import Request
from habitus_runners.models import vllm_engine
from habitus_runners.models.vllm_engine import starting
from habitus_runners.prompts.titles import quoted

pytestmark = pytest.mark.filterwarnings("ignore")  # those of torch and vLLM
LENGTH = 4


@pytest.fixture(scope="module", autouse=True)
def _ended():
    yield
    starting.end()


@pytest.fixture
def create(tiny, small):
    return lambda method, changes=None: vllm_engine.create(str(tiny), method, small.changed(changes or {}), LENGTH)


@pytest.fixture
def engine(create):
    return starting.engine(create("text")._arguments())


def test_text_is_what_chat_says(create, engine):
    from vllm import SamplingParams  # noqa: PLC0415

    asked = requests(12)
    chats = [[{"role": "user", "content": request.prompt}] for request in asked]
    direct = engine.llm.chat(chats, SamplingParams(temperature=0, max_tokens=24), use_tqdm=False)
    answers = list(create("text").answers(asked))
    assert [answer.text for answer in answers] == [output.outputs[0].text for output in direct]
    assert [answer.tokens_in for answer in answers] == [len(output.prompt_token_ids) for output in direct]
    assert [answer.task_id for answer in answers] == [request.task_id for request in asked]


def test_samples_differ_with_their_seed_and_come_again(create):
    drawn = {"ask.temperature": 1.0, "ask.seed": 3}
    asked = [requests(1)[0]._replace(sample=sample) for sample in range(4)]
    first = [answer.text for answer in create("text", drawn).answers(asked)]
    again = [answer.text for answer in create("text", drawn).answers(asked)]
    other = [answer.text for answer in create("text", drawn | {"ask.seed": 4}).answers(asked)]
    assert first == again
    assert len(set(first)) == 4
    assert other[:3] == first[1:]


def test_log_probabilities_of_tokens_are_kept_when_asked_for(create):
    (answer,) = create("text", {"ask.logprobs": True}).answers(requests(1))
    assert len(answer.token_logprobs) == answer.tokens_out
    assert all(value <= 0 for _, value in answer.token_logprobs)
    (answer,) = create("text").answers(requests(1))
    assert answer.token_logprobs is None


def test_numbers_are_always_a_ranking(create):
    for answer in create("numbers", {"ask.max_tokens": 64}).answers(requests(16)):
        ranking = json.loads(answer.text)["ranking"]
        assert len(ranking) == LENGTH
        assert set(ranking) <= set(range(1, 13))


@pytest.mark.parametrize("temperature", [0, 1.5])
def test_choices_are_always_distinct_titles(create, temperature):
    asked = requests(16)
    for request, answer in zip(asked, create("choice", {"ask.temperature": temperature}).answers(asked), strict=True):
        assert answer.error is None
        chosen = json.loads(answer.text)
        assert len(set(chosen)) == len(chosen) == LENGTH
        assert {quoted(title) for title in chosen} <= set(request.titles)


def test_titles_that_begin_others_or_are_equal_can_be_chosen(create):
    titles = ("Alien", "Alien", "Alien 3", 'Alien", "Heat', "Alien\\", "\U0001f3ac é", "")
    request = Request(0, "t", "Which?", tuple(map(quoted, titles)))
    for length in (1, len(titles)):
        model = create("choice")
        model._plan = model._plan._replace(length=length)
        (answer,) = model.answers([request])
        assert len(json.loads(answer.text)) == length
        if length == len(titles):
            assert sorted(json.loads(answer.text)) == sorted(titles)


def test_every_choice_goes_on_with_exactly_what_chat_has_read(create, engine, monkeypatch):
    read = []
    for name in ("chat", "go_on"):
        ask = getattr(engine, name)
        monkeypatch.setattr(engine, name, lambda asked, ask=ask: read.append(ask(asked)) or read[-1])
    (answer,) = create("choice").answers(requests(1))
    tokenizer = engine.llm.get_tokenizer()
    chat = [{"role": "user", "content": requests(1)[0].prompt}]
    rendered = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    assert tokenizer.decode([*read[-1][0].prompt_ids]) == rendered + answer.text.rpartition(", ")[0] + ', "'
    for (earlier,), (later,) in pairwise(read):
        assert [*earlier.prompt_ids, *earlier.ids] == [*later.prompt_ids]


def test_candidates_have_the_log_probability_of_a_forward_pass(create, tiny):
    import torch  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    llama, tokenizer = AutoModelForCausalLM.from_pretrained(tiny).eval(), AutoTokenizer.from_pretrained(tiny)
    asked = requests(3)
    for request, answer in zip(asked, create("logprobs").answers(asked), strict=True):
        chat = [{"role": "user", "content": request.prompt}]
        text = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        prompt = tokenizer.encode(text, add_special_tokens=False)
        assert answer.tokens_in == len(prompt)
        expected = []
        for title in request.titles:
            path = tokenizer.encode(f"[{title},", add_special_tokens=False)
            with torch.no_grad():
                logits = llama(torch.tensor([prompt + path])).logits[0].double()
            steps = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]
            expected.append(sum(steps[at, token].item() for at, token in enumerate(path)))
        assert [value for _, value in answer.token_logprobs] == pytest.approx(expected, abs=1e-4)
        best = max(range(len(expected)), key=expected.__getitem__)
        assert quoted(json.loads(answer.text)[0]) == request.titles[best]


def test_a_prompt_that_is_too_long_is_an_error_of_its_own(create):
    asked = requests(5)
    asked[2] = asked[2]._replace(prompt="film " * 5000)
    for method in ("text", "numbers", "choice", "logprobs"):
        answers = list(create(method, {"ask.max_tokens": 64}).answers(asked))
        assert [answer.error is None for answer in answers] == [True, True, False, True, True]
        assert "maximum context length is 4096 tokens" in answers[2].error
        assert "\n" not in answers[2].error


def test_methods_of_one_model_share_an_engine(create):
    engines = {id(starting.engine(create(method)._arguments())) for method in ("text", "choice", "logprobs")}
    assert len(engines) == 1


def test_a_folder_whose_weights_are_damaged_is_one_line(tiny, small, tmp_path):
    damaged = shutil.copytree(tiny, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(HabitusError, match=r"vLLM did not start: .*; change vllm\.") as caught:
        list(vllm_engine.create(str(damaged), "text", small, LENGTH).answers(requests(1)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_an_engine_in_a_process_of_its_own_fails_in_one_line_too(tiny, tmp_path):
    damaged = shutil.copytree(tiny, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"not weights")
    program = (
        "import sys\n"
        "from habitus_runners.errors import HabitusError\n"
        "from habitus_runners.models.vllm_engine import starting\n"
        "if __name__ == '__main__':\n"
        "    try:\n"
        "        arguments = {'dtype': 'float32', 'enforce_eager': True, 'gpu_memory_utilization': 0.3}\n"
        "        starting.engine({'model': sys.argv[1], **arguments})\n"
        "    except HabitusError as error:\n"
        "        print(error)\n"
    )
    script = tmp_path / "start.py"
    script.write_text(program)
    mine = {key: value for key, value in os.environ.items() if key != "VLLM_LOGGING_LEVEL"}
    environment = mine | {"VLLM_ENABLE_V1_MULTIPROCESSING": "1"}
    command = [sys.executable, str(script), str(damaged)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert "vLLM did not start: " in line
    assert "SafetensorError" in line


def test_another_engine_takes_the_place_of_the_one_that_runs(create, small, tiny):
    (before,) = create("text").answers(requests(1))
    (short,) = vllm_engine.create(str(tiny), "text", small.changed({"vllm.max_model_len": 512}), LENGTH).answers(
        requests(1)
    )
    (again,) = create("text").answers(requests(1))
    assert before.text == short.text == again.text


@pytest.mark.parametrize("extra", [{"no_such_argument": 1}, {"top_p": 7}])
def test_what_vllm_cannot_sample_by_is_one_line_about_the_setting(create, extra):
    with pytest.raises(HabitusError, match=f"setting ask: .*{next(iter(extra))}") as caught:
        list(create("text", {"ask.extra": extra}).answers(requests(1)))
    assert type(caught.value) is HabitusError
    assert "\n" not in str(caught.value)


def test_a_model_without_a_chat_template_is_one_line(tiny, small, tmp_path):
    bare = shutil.copytree(tiny, tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(HabitusError, match="chat template"):
        list(vllm_engine.create(str(bare), "text", small, LENGTH).answers(requests(1)))
