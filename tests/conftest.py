"""What all tests share: hypothesis' profile, where real data lie, and libhabitus."""

import os
from collections.abc import Iterator
from pathlib import Path

import numba
import pytest
from hypothesis import settings

from habitus_bindings.native.__main__ import install
from habitus_bindings.native.build import BuildError
from tests.libhabitus import Library

# A first, compiling call takes longer than hypothesis' 200 ms.
# With NUMBA_DISABLE_JIT=1 the loops run as plain Python, a hundred times slower: fewer examples then.
settings.register_profile("habitus", deadline=None, max_examples=5 if numba.config.DISABLE_JIT else 100)
settings.load_profile("habitus")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; their licences forbid shipping them."""
    folder = os.environ.get("HABITUS_DATA")
    if not folder:
        pytest.skip(
            "HABITUS_DATA is not set: it names a folder with ml-1m.zip and lastfm-1k/, which may not be shipped"
        )
    return Path(folder)


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes into the user's own ledger, or sends the user's own key."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HABITUS_LEDGER", str(home / "ledger.sqlite"))
        patched.setenv("XDG_STATE_HOME", str(home))
        patched.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        for name in ("OPENAI_API_KEY", "HABITUS_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_API_KEY"):
            patched.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def libhabitus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prefix with lib/libhabitus.so, include/habitus.h and lib/pkgconfig/habitus.pc.

    The library is that which HABITUS_LIBRARY names or this installation holds, else it is built.
    """
    prefix = tmp_path_factory.mktemp("libhabitus")
    try:
        install(prefix)
    except BuildError as error:
        pytest.skip(f"libhabitus cannot be built here: {error}")
    return prefix


@pytest.fixture(scope="session")
def library(libhabitus: Path) -> Library:
    """The same, loaded."""
    return Library(libhabitus / "lib" / "libhabitus.so")
