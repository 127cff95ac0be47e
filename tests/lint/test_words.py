"""Words that names are made of."""

from __future__ import annotations

import pytest

from flatwater.lint import words

SETS = {name: value for name, value in vars(words).items() if isinstance(value, frozenset)}


@pytest.mark.parametrize("name", SETS)
def test_words_are_as_names_are_cut(name):
    """Small letters only: anything else would never be found in a name."""
    assert SETS[name]
    assert all(each.isalpha() and each.islower() for each in SETS[name])


def test_sets_that_exclude_each_other():
    """What is of data is not of code, and a table of many is not one of few."""
    assert not words.OF_DATA & words.OF_CODE
    assert not words.OF_MANY & words.OF_FEW
