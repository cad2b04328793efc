"""Every example that a reader may copy runs and prints what it says: docstrings of the engine, and the README."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import habitus

MODULES = [name for _, name, is_package in pkgutil.iter_modules(habitus.__path__, "habitus.") if not is_package]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_readme():
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0
