"""libhabitus for the tests of every tongue: that which HABITUS_LIBRARY names or this installation holds, else built."""

from pathlib import Path

import pytest
from tests.libhabitus import Library

from habitus_bindings.native.__main__ import install
from habitus_bindings.native.build import BuildError


@pytest.fixture(scope="session")
def libhabitus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prefix with lib/libhabitus.so, include/habitus.h and lib/pkgconfig/habitus.pc."""
    prefix = tmp_path_factory.mktemp("libhabitus")
    try:
        install(prefix)
    except BuildError as error:
        pytest.skip(f"libhabitus cannot be built here: {error}")
    return prefix


@pytest.fixture(scope="session")
def library(libhabitus: Path) -> Library:
    return Library(libhabitus / "lib" / "libhabitus.so")
