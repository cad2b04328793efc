"""Keys come from the environment or a keyring, and leave every text."""

import sys
import types

import pytest

from habitus_runners.errors import HabitusError
from habitus_runners.models.openai_api import keys


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in keys.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(keys, "_secrets", [])


def _keyring(monkeypatch, passwords):
    errors = types.ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})
    ring = types.ModuleType("keyring")
    ring.get_password = lambda service, host: passwords.get((service, host))
    monkeypatch.setitem(sys.modules, "keyring", ring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def test_our_own_variable_comes_first(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "general-key")
    assert keys.api_key("https://api.openai.com/v1").get_secret_value() == "general-key"
    monkeypatch.setenv("HABITUS_API_KEY", " own-key-1\n")
    assert keys.api_key("https://api.openai.com/v1").get_secret_value() == "own-key-1"


def test_the_keyring_is_asked_by_host(monkeypatch):
    _keyring(monkeypatch, {("habitus", "api.openai.com"): "ring-key-1"})
    assert keys.api_key("https://api.openai.com/v1").get_secret_value() == "ring-key-1"
    assert keys.api_key("http://localhost:8000/v1").get_secret_value() == keys.PLACEHOLDER


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://mine.openai.azure.com/openai/v1"])
def test_services_that_want_a_key_are_not_called_without_one(monkeypatch, url):
    _keyring(monkeypatch, {})
    with pytest.raises(HabitusError, match="HABITUS_API_KEY or OPENAI_API_KEY"):
        keys.api_key(url)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel-1"])
def test_a_key_that_no_header_carries_is_refused_and_not_shown(monkeypatch, key):
    monkeypatch.setenv("HABITUS_API_KEY", key)
    with pytest.raises(HabitusError, match="printable") as refused:
        keys.api_key("http://localhost/v1")
    assert key not in str(refused.value)


def test_every_form_of_a_known_key_is_taken_out(monkeypatch):
    monkeypatch.setenv("HABITUS_API_KEY", "canary/key+1")
    held = keys.api_key("http://localhost/v1")
    assert "canary" not in repr(held)
    assert keys.redacted("a canary/key+1 b canary%2Fkey%2B1 c") == "a [key] b [key] c"
    assert keys.redacted("Authorization: Bearer abcdefgh12") == "Authorization: Bearer [key]"


def test_ordinary_words_stay(monkeypatch):
    monkeypatch.setenv("HABITUS_API_KEY", "none")
    keys.api_key("http://localhost/v1")
    assert keys.redacted("there is none at risk-free") == "there is none at risk-free"
    assert keys.without_keys("the title sk-1234567890") == "the title sk-1234567890"
