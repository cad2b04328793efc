"""Compiled loops, and the rules that every file of them keeps.

- It imports math, numpy and numba (llvmlite.ir where it emits vector IR), and no other file of the project: Numba
  stamps its cache with one file's hash, so a helper elsewhere could change and a stale result be returned (numba#1833).
  The exception is vectors.py, which holds no kernel: what a kernel closes over is part of Numba's key as well, and a
  kernel that uses it closes over the hash of its source.
- A kernel has an explicit signature, so it compiles when its file is imported; public functions therefore import their
  kernels inside, and `import habitus` costs NumPy alone. Inputs are declared readonly: writable arrays fit that too.
  A kernel that is compiled per number of candidates is an entry of a table, and compiles when it is first asked for.
- A kernel trusts its caller: it allocates nothing, raises nothing and writes only its last arguments. Wrappers check.
- `nogil` and disjoint rows: threads cannot change a bit of the result. No fastmath beyond `reassoc` and `contract`, on
  private loops of sums: the rest removes the guards against NaN.
"""
