"""`python -m benchmarks.assembly [CPU]`: what LLVM made of the scoring kernel for 50 candidates.

Counts instructions by the width of their registers, and in the sorting network the vector loads and stores beyond one
of each row: those are spills. CPU is a name that LLVM knows, such as x86-64-v3; default this machine.
"""

import collections
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

CANDIDATES = 50


class Assembly(NamedTuple):
    """Instructions of the whole kernel and of its sorting network alone: (name, operands)."""

    kernel: list[tuple[str, str]]
    network: list[tuple[str, str]]


def compiled(cpu: str | None = None) -> Assembly:
    """Compile the kernel anew; for this machine if cpu is None. Once per process: Numba reads its settings once."""
    os.environ |= {"NUMBA_CACHE_DIR": tempfile.mkdtemp()} | (
        {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": ""} if cpu else {}
    )
    from habitus.kernels import lanes  # noqa: PLC0415 - after Numba's settings

    kernel = lanes.score[CANDIDATES, 32, False]
    text = kernel.inspect_asm(kernel.signatures[0])
    network = re.search(rf"^sort_{CANDIDATES}_rows:$(.*?)^\s*ret", text, re.DOTALL | re.MULTILINE)
    if network is None:
        raise RuntimeError("expected the sorting network as a function of its own, found none")
    return Assembly(list(_instructions(text)), list(_instructions(network[1])))


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _, operands = line.strip().partition("\t")
        if line.startswith("\t") and not name.startswith("."):
            yield name, operands


def report(found: Assembly) -> Iterator[str]:
    """Lines for people."""
    widths = collections.Counter(
        width for _, operands in found.kernel for width in ("zmm", "ymm", "xmm") if f"%{width}" in operands
    )
    gathers = sum("gather" in name for name, _ in found.kernel)
    yield (
        f"kernel: {len(found.kernel):,} instructions; on vectors of 512, 256, 128 bits: "
        + ", ".join(f"{widths[width]:,}" for width in ("zmm", "ymm", "xmm"))
        + f"; gathers: {gathers}"
    )
    network = collections.Counter(re.sub(r"^v", "", name) for name, _ in found.network)
    extremes = network["pmaxsw"] + network["pminsw"]
    vectors = [operands for name, operands in found.network if "mov" in name and "mm" in operands and "(" in operands]
    parts = max(1, extremes // (2 * 395))  # registers that a row of 512 bits takes here
    moved = len(vectors) + sum("(" in operands for name, operands in found.network if "pm" in name)
    yield (
        f"network: {len(found.network):,} instructions, {extremes:,} of them max or min ({extremes // parts // 2} "
        f"comparators, {parts} registers a row); vector loads and stores beyond one of each row: "
        f"{moved - 2 * CANDIDATES * parts}"
    )


if __name__ == "__main__":
    for line in report(compiled(*sys.argv[1:2])):
        print(line)
