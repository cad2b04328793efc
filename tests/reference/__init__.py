"""Slow, obvious twins of the engine. They import nothing of it, and say what is right where the two differ."""
