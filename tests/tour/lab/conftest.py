"""Programs of experiments, run to their end."""

import pytest


@pytest.fixture
def ended():
    """What a program named on its way, and what it returned."""

    def run(steps):
        moments = []
        while True:
            try:
                moments.append(next(steps))
            except StopIteration as end:
                return moments, end.value

    return run
