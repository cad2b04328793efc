"""What may go wrong between a runner and a paid service, done to Habitus and, in the same way, to Inspect and lm-eval.

A bar is a file: `measure` does it to every system and returns numbers, `say` puts a system's numbers into words. A
system is a file too: it knows the commands of one program and the files that these write. Nothing else does.
"""
