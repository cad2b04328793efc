"""libhabitus: the engine's kernels as a shared library that needs neither Python nor Numba, behind a plain C header.

A platform wheel holds the library; elsewhere `python -m habitus_bindings.native install` builds it from the installed
engine, with a C compiler and nothing else.
"""

import os
from pathlib import Path

INCLUDE = Path(__file__).parent / "include"
SHIPPED = Path(__file__).parent / "lib" / "libhabitus.so"


def library() -> Path:
    """The shared library: what the variable HABITUS_LIBRARY names, else the one that this installation holds.

    Raises:
        FileNotFoundError: there is none.
    """
    named = os.environ.get("HABITUS_LIBRARY")
    path = Path(named) if named else SHIPPED
    if path.is_file():
        return path
    where = f"HABITUS_LIBRARY names {path}, which is no file" if named else "this installation of habitus holds none"
    raise FileNotFoundError(
        f"expected libhabitus: {where}; `python -m habitus_bindings.native install` builds it (a C compiler is needed)"
    )
