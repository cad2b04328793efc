"""All tongues of the engine side by side: `python -m benchmarks.tongues` prints the table, `--readme` keeps it.

Each answers the golden vectors, scores a million rankings on one thread in turn with the engine on NumPy arrays, and is
given bad input. `python.py` holds those of Python's world; C, R and JavaScript are programs (`answer.*`) that are asked
line by line.
"""
