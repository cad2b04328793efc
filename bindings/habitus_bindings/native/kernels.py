"""The engine's kernels as object code for one processor, with no symbol of Python or Numba in it.

`python -m habitus_bindings.native.kernels CPU FOLDER` compiles them for CPU, in a process of its own, as Numba asks for
the processor once. A kernel's machine code is made from its optimised IR, without the wrapper that Python would call.
Numba counts the references of arrays; those that come from C have none to count, so these calls are taken out.
"""

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding as llvm
from numba import types

from habitus.kernels import (
    bitmaps,
    candidates,
    curves,
    entropy,
    groups,
    interactions,
    lanes,
    lists,
    sampling,
    scoring,
    tables,
    uncertainty,
)

# Numbers of candidates with a sorting network written out; and lanes for any number, of 16 and of 32 bits.
CANDIDATES = (10, 20, 50, 100)
_NARROW, _WIDE = 32, 16
_COUNTING = re.compile(r"^.*call void @NRT_(?:inc|dec)ref\(.*$", re.MULTILINE)
# A function or a number in memory that libm holds; anything else would be Python's or Numba's.
_LIBM = {"cosh", "exp", "expm1", "log", "log1p", "pow", "sinh"}


class Kernel(NamedTuple):
    """``name`` in C, the types of its arguments and of what it returns."""

    name: str
    arguments: tuple[types.Type, ...]
    returns: types.Type
    compiled: Any


def kernels() -> list[Kernel]:
    """All that libhabitus holds, compiled for the processor that Numba was told of."""
    plain = {
        **{name: getattr(entropy, name) for name in ("plug_in", "miller_madow", "grassberger", "chao_shen")},
        **{name: getattr(entropy, name) for name in ("james_stein", "dirichlet", "nsb")},
        **{name: getattr(scoring, name) for name in ("smooth", "targets", "task_scores", "inspect")},
        **{name: getattr(scoring, name) for name in ("ranking_scores", "skill_sums")},
        **{name: getattr(tables, name) for name in ("logarithms", "network", "band_rows", "band")},
        **{name: getattr(curves, name) for name in ("bin_sums", "rolling_mean")},
        "turns": uncertainty.turns,
        **{name: getattr(interactions, name) for name in ("index", "repeated", "bitmap")},
        **{name: getattr(sampling, name) for name in ("histories", "shuffle")},
        "groups": groups.groups,
        "candidates": candidates.candidates,
        "incidence_of_bitmaps": bitmaps.incidence,
        "incidence_of_lists": lists.incidence,
        "lanes_any": lanes.score[0, _NARROW, True],
        "lanes_wide": lanes.score[0, _WIDE, True],
        **{f"lanes_{size}": lanes.score[size, _NARROW, True] for size in CANDIDATES},
    }
    return [_kernel(name, dispatcher) for name, dispatcher in plain.items()]


def _kernel(name: str, dispatcher: Any) -> Kernel:  # noqa: ANN401 - Numba's dispatchers have no type
    compiled = dispatcher.overloads[dispatcher.signatures[0]]
    return Kernel(name, compiled.signature.args, compiled.signature.return_type, compiled)


def emit(kernel: Kernel, machine: llvm.TargetMachine, symbol: str) -> bytes:
    """The kernel's object file, in which its one visible function is called ``symbol``.

    Raises:
        RuntimeError: the kernel needs something that is not in libm.
    """
    module = llvm.parse_assembly(_COUNTING.sub("", kernel.compiled.library.get_llvm_str()))
    native = kernel.compiled.fndesc.llvm_func_name
    for held in (*module.functions, *module.global_variables):
        if not held.is_declaration and held.name != native:
            held.linkage = "internal"
    function = module.get_function(native)
    function.name, function.visibility = symbol, llvm.Visibility.hidden
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    needed = {held.name for held in (*module.functions, *module.global_variables) if held.is_declaration}
    foreign = {name for name in needed if not name.startswith("llvm.")} - _LIBM
    if foreign:
        raise RuntimeError(f"{kernel.name}: expected a kernel that needs libm alone, it needs {sorted(foreign)}")
    code: bytes = machine.emit_object(module)
    return code


def main(cpu: str, folder: str) -> None:
    """Write CPU's objects and the C declarations of what is in them."""
    from habitus_bindings.native import declarations  # noqa: PLC0415 - it imports this module

    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, opt=3, reloc="pic")
    held, suffix = kernels(), declarations.suffix(cpu)
    for kernel in held:
        Path(folder, f"{kernel.name}_{suffix}.o").write_bytes(emit(kernel, machine, f"habitus_{kernel.name}_{suffix}"))
    Path(folder, f"table_{suffix}.c").write_text(declarations.table(held, cpu), "utf-8")
    Path(folder, "kernels.h").write_text(declarations.header(held), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
