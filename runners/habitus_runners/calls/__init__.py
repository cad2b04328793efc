"""Asking a paid service many questions: at its pace, within a budget, with nothing asked that the ledger knows.

Knows no service by name: a model hands ``dispatch`` a coroutine that makes one call, and raises ``outcomes.Failure``.
"""
