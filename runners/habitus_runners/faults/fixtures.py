"""The pytest plugin: ``fault_server`` makes servers that end with the test. Imports pytest and the standard library."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from habitus_runners.faults.server import FaultServer


@pytest.fixture
def fault_server() -> Iterator[Callable[..., FaultServer]]:
    """A function with the arguments of ``FaultServer`` that returns one already listening.

    Every server that it made is closed when the test ends.
    """
    with ExitStack() as servers:

        def make(*plan: Any, **options: Any) -> FaultServer:  # noqa: ANN401 - FaultServer's own arguments
            return servers.enter_context(FaultServer(*plan, **options))

        yield make
