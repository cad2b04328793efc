"""C declarations of compiled kernels, from their Numba signatures, so that a call that does not fit does not compile.

A kernel takes what it returns and an error first, then its arguments flattened: of a tuple its members, of an array
seven values and more, which the macros of src/internal.h write.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from numba import types

if TYPE_CHECKING:
    from habitus_bindings.native.kernels import Kernel

_SCALARS: dict[types.Type, str] = {
    types.int64: "int64_t",
    types.uint64: "uint64_t",
    types.float64: "double",
    types.boolean: "uint8_t",
}
_ELEMENTS: dict[types.Type, str] = {
    **_SCALARS,
    types.uint8: "uint8_t",
    types.int16: "int16_t",
    types.int32: "int32_t",
}


def suffix(cpu: str) -> str:
    """The processor's name as the end of a symbol."""
    return cpu.replace("-", "_")


def header(kernels: "Sequence[Kernel]") -> str:
    """The struct of all kernels of one processor."""
    members = "\n".join(f"    int (*{kernel.name})({_parameters(kernel)});" for kernel in kernels)
    return f"""/* Made by habitus_bindings/native/declarations.py. */
#ifndef HABITUS_KERNELS_H
#define HABITUS_KERNELS_H
#include <stdint.h>
struct kernels {{
    const char *variant;
{members}
}};
#endif
"""


def table(kernels: "Sequence[Kernel]", cpu: str) -> str:
    """The kernels of one processor, as that struct."""
    end = suffix(cpu)
    declared = "\n".join(f"int habitus_{kernel.name}_{end}({_parameters(kernel)});" for kernel in kernels)
    members = "\n".join(f"    .{kernel.name} = habitus_{kernel.name}_{end}," for kernel in kernels)
    return f"""/* Made by habitus_bindings/native/declarations.py. */
#include "kernels.h"
{declared}
const struct kernels habitus_kernels_{end} = {{
    .variant = "{cpu}",
{members}
}};
"""


def _parameters(kernel: "Kernel") -> str:
    flat = [parameter for kind in kernel.arguments for parameter in _flat(kind)]
    return ", ".join(["void *", "void **", *flat])


def _flat(kind: types.Type) -> Iterator[str]:
    if isinstance(kind, types.Array):
        constant = "" if kind.mutable else "const "
        sizes = ["int64_t"] * kind.ndim
        yield from ["void *", "void *", "int64_t", "int64_t", f"{constant}{_ELEMENTS[kind.dtype]} *", *sizes, *sizes]
    elif isinstance(kind, types.BaseTuple):
        for member in kind:  # type: ignore[attr-defined]  # every tuple of Numba can be iterated
            yield from _flat(member)
    else:
        yield _SCALARS[kind]
