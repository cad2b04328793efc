"""API keys: from the environment or a keyring alone, held as secrets, taken out of whatever is shown or written."""

import os
import re
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from habitus_runners.errors import HabitusError

VARIABLES = ("HABITUS_API_KEY", "OPENAI_API_KEY")
PLACEHOLDER = "none"
_REDACTED = "[key]"
_SHORTEST = 6
"""A shorter secret is also an ordinary word of answers, and is not looked for."""
_LIKE_A_KEY = re.compile(r"\bsk-[\w*-]{8,}|(?<=[Bb]earer )[^\s\"',}]{6,}")

_secrets: list[SecretStr] = []


def api_key(base_url: str) -> SecretStr:
    """The key for a service: of HABITUS_API_KEY, OPENAI_API_KEY, else the keyring's entry ("habitus", host).

    Args:
        base_url: the service's. All but OpenAI's own and Azure's may need no key, and get a placeholder.

    Raises:
        HabitusError: there is none, or it cannot be sent in a header.
    """
    host = urlsplit(base_url).hostname or ""
    named = next(((name, value) for name in VARIABLES if (value := os.environ.get(name, "").strip())), None)
    source, key = named or ("keyring", _from_keyring(host))
    if not key:
        if official(host):
            raise HabitusError(
                f"expected an API key for {host} in {' or '.join(VARIABLES)}, or in the keyring"
                f" (keyring set habitus {host}), found none"
            )
        return SecretStr(PLACEHOLDER)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise HabitusError(f"{source}: expected a key of printable ASCII characters without spaces, got something else")
    return remembered(key)


def official(host: str) -> bool:
    """Whether a host is OpenAI's or Azure's: both want a key, and the token limit by its newer name.

    >>> official("api.openai.com"), official("mine.openai.azure.com"), official("localhost")
    (True, True, False)
    """
    return host == "openai.com" or host.endswith(".openai.com") or azure(host)


def azure(host: str) -> bool:
    """Whether a host is Azure's, which takes the key in a header of its own."""
    return host.endswith((".azure.com", ".azure.us", ".azure.cn"))


def remembered(secret: str) -> SecretStr:
    """A secret that ``redacted`` knows from now on."""
    held = SecretStr(secret)
    if held not in _secrets:
        _secrets.append(held)
    return held


def redacted(text: str) -> str:
    """A text without any known key, or what looks like one.

    >>> redacted("Incorrect API key provided: sk-12345678****wxyz.")
    'Incorrect API key provided: [key].'
    """
    return _LIKE_A_KEY.sub(_REDACTED, without_keys(text))


def without_keys(text: str) -> str:
    """A text without any known key; what else it says stays as it is, as an answer must."""
    named = (os.environ.get(name, "").strip() for name in VARIABLES)
    for secret in {*named, *(held.get_secret_value() for held in _secrets)}:
        if len(secret) < _SHORTEST:
            continue
        for form in (secret, quote(secret, safe="")):
            if form in text:
                text = text.replace(form, _REDACTED)
    return text


def _from_keyring(host: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to load
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        return ""
    try:
        return (keyring.get_password("habitus", host) or "").strip()
    except KeyringError:
        return ""
