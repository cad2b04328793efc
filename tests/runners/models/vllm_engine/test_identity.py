"""Which model answered: the same weights anywhere are the same model, one other bit is another one."""

import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from habitus_runners.errors import HabitusError
from habitus_runners.models import vllm_engine
from habitus_runners.models.vllm_engine import identity
from habitus_runners.models.vllm_engine.plan import Plan
from habitus_runners.settings import settings

FILES = {
    "config.json": b"{}",
    "generation_config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "model-00001-of-00002.safetensors": bytes(range(256)) * 40,
    "model-00002-of-00002.safetensors": bytes(reversed(range(256))) * 40,
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "one" / "llama"
    made.mkdir(parents=True)
    for name, content in FILES.items():
        (made / name).write_bytes(content)
    return made


def revision(path, overrides=None, method="text", length=10):
    chosen = settings("paper", overrides)
    model = identity.weights(str(path), chosen.vllm.revision)
    return identity.revision(model, "vllm 1.0", method, chosen.vllm, Plan(chosen.ask, length))


def test_the_same_files_elsewhere_are_the_same_model(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "two" / "llama")
    assert revision(copy) == revision(folder)


@how(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(data=st.data())
def test_one_flipped_bit_anywhere_is_another_model(folder, data):
    before = identity.fingerprint(folder)
    file = folder / data.draw(st.sampled_from(sorted(FILES)))
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    original = file.read_bytes()
    file.write_bytes(content)
    after = identity.fingerprint(folder)
    file.write_bytes(original)
    assert after != before
    assert identity.fingerprint(folder) == before


def test_a_file_more_or_under_another_name_is_another_model(folder):
    before = identity.fingerprint(folder)
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    with_template = identity.fingerprint(folder)
    (folder / "tokenizer.json").rename(folder / "vocab.json")
    assert len({before, with_template, identity.fingerprint(folder)}) == 3


def test_what_people_read_does_not_count(folder):
    before = identity.fingerprint(folder)
    (folder / "README.md").write_text("changed")
    (folder / "LICENSE.txt").write_text("changed")
    (folder / "original").mkdir()
    (folder / "original" / "consolidated.00.pth").write_bytes(b"not loaded")
    assert identity.fingerprint(folder) == before


def test_the_fingerprint_is_what_sha256sum_says(folder):
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("the system has no sha256sum")
    listed = subprocess.run([program, *sorted(FILES)], cwd=folder, capture_output=True, check=True).stdout
    again = subprocess.run([program], input=listed, capture_output=True, check=True).stdout
    assert again.split()[0].decode() == identity.fingerprint(folder)


def test_weights_changed_in_place_are_noticed(folder):
    before = identity.weights(str(folder), None).fingerprint
    (folder / "config.json").write_text('{"rope_theta": 1}')
    assert identity.weights(str(folder), None).fingerprint != before


def test_the_revision_is_canonical_json_that_does_not_say_where_the_model_lies(folder, tmp_path):
    text = revision(folder)
    assert text == json.dumps(json.loads(text), sort_keys=True)
    assert json.loads(text)["model"] == "llama"
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    "change",
    [
        {"vllm.dtype": "float16"},
        {"vllm.max_model_len": 2048},
        {"vllm.tensor_parallel": 2},
        {"vllm.revision": "abc"},
        {"vllm.engine": {"quantization": "fp8"}},
        {"ask.temperature": 0.7},
        {"ask.seed": 1},
        {"ask.max_tokens": 5},
        {"ask.logprobs": True},
        {"ask.extra": {"top_p": 0.9}},
    ],
)
def test_what_changes_answers_changes_the_revision(folder, change):
    assert revision(folder, change) != revision(folder)


@pytest.mark.parametrize(
    "change", [{"vllm.memory": 0.5}, {"vllm.engine": {"download_dir": "/x"}}, {"ask.samples": 3}, {"calls.rpm": 9}]
)
def test_what_changes_no_answer_does_not(folder, change):
    assert revision(folder, change) == revision(folder)


def test_a_method_depends_on_what_it_uses_alone(folder):
    drawn = {"ask.temperature": 1, "ask.seed": 4}
    assert revision(folder, drawn, "logprobs") == revision(folder, None, "logprobs")
    assert revision(folder, drawn, "choice") != revision(folder, None, "choice")
    assert revision(folder, {"ask.max_tokens": 5}, "choice") == revision(folder, None, "choice")
    assert len({revision(folder, None, method) for method in vllm_engine.runner.METHODS}) == 4
    assert revision(folder, None, "choice", 9) != revision(folder, None, "choice", 10)


def test_a_template_of_the_users_own_counts_by_what_it_says(folder, tmp_path):
    template = tmp_path / "chat.jinja"
    template.write_text("one")
    chosen = {"vllm.engine": {"chat_template": str(template)}}
    before = revision(folder, chosen)
    assert str(tmp_path) not in before
    template.write_text("two")
    assert revision(folder, chosen) != before


def test_one_file_can_be_a_model(tmp_path):
    file = tmp_path / "llama.gguf"
    file.write_bytes(b"GGUF")
    assert json.loads(revision(file))["model"] == "llama.gguf"


def test_what_is_no_model_is_refused(folder, tmp_path):
    with pytest.raises(HabitusError, match="expected a folder of a model, found none"):
        identity.weights(str(tmp_path / "nowhere"), None)
    for file in folder.glob("*.safetensors"):
        file.unlink()
    with pytest.raises(HabitusError, match=r"found no weights in it \(\*\.safetensors \*\.bin"):
        identity.weights(str(folder), None)
    (folder / "config.json").unlink()
    with pytest.raises(HabitusError, match=r"found no config\.json in it"):
        identity.weights(str(folder), None)


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch):
    class Hub:
        @staticmethod
        def snapshot_download(name, **_):
            raise OSError(f"no network\nfor {name}")

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
    with pytest.raises(HabitusError, match=r"model vllm:someone/llama: .* fetching it failed: no network$"):
        identity.weights("someone/llama", None)


def test_a_model_of_the_hub_goes_by_its_name_there(folder, monkeypatch):
    asked = []

    class Hub:
        @staticmethod
        def snapshot_download(name, *, revision, allow_patterns, ignore_patterns):
            asked.append((name, revision, "*.safetensors" in allow_patterns, ignore_patterns))
            return str(folder)

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
    model = identity.weights("someone/llama", "v2")
    assert model == ("someone/llama", folder, identity.fingerprint(folder))
    assert asked == [("someone/llama", "v2", True, ["*/*"])]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"vllm.engine": {"dtype": "float16"}}, "vllm.engine: .* got dtype"),
        ({"vllm.engine": {"hf_token": "canary"}}, "expected no secrets, got hf_token"),
        ({"ask.extra": {"n": 4}}, "ask.extra: .* got n"),
    ],
)
def test_settings_that_cannot_be_are_refused_without_saying_their_value(change, expected):
    with pytest.raises(HabitusError, match=expected) as caught:
        identity.check(settings("paper", change))
    assert "canary" not in str(caught.value)
