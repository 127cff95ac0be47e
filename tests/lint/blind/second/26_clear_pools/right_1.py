import pytest

import flatwater as fw


@pytest.fixture(autouse=True)
def clean_pools():
    yield
    fw.clear_pools()


@pytest.fixture
def sample_rows():
    return [(1, "oak"), (2, "beech"), (3, "ash")]
