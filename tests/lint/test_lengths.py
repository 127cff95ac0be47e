"""Whether a file or a table is one that grows."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import lengths
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

LONG = ["path", "os.path.join(root, filename)", "self.log_path", "folder / 'data.csv'"]
SHORT = ["config_path", "bad_channels", "folder / 'priors'", "data_dir / 'labels.yaml'"]


def opened(expression):
    look = Look(Module(f"import csv\nfile = open({expression})\nfor row in csv.reader(file): pass", "a.py"))
    (call,) = [each for each in look.module.of(ast.Call) if look.origin(each.func) == "open"]
    (loop,) = look.module.of(ast.For)
    return look, call, loop


@pytest.mark.parametrize("expression", LONG)
def test_files_that_may_be_long(expression):
    """By a name of data, or by one that says nothing; also behind a reader of rows."""
    look, call, loop = opened(expression)
    assert lengths.is_long_file(look, call.args[0])
    assert lengths.is_long(look, look.value(loop.iter))


@pytest.mark.parametrize("expression", SHORT)
def test_files_by_names_of_something_else(expression):
    """Settings, and what nobody knows."""
    look, call, loop = opened(expression)
    assert not lengths.is_long_file(look, call.args[0])
    assert not lengths.is_long(look, look.value(loop.iter))


def test_tables():
    """One of several that grows is enough."""
    assert lengths.is_long_table("shops", "orders")
    assert not lengths.is_long_table("shops", "icons")
    assert not lengths.is_long_table()
