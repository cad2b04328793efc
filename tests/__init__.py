"""Tests mirror the source; reference/ holds slow twins that share no code with it."""
