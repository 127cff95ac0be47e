"""Comparisons whose points come from formulas instead of processes, for the tests of everything that shows one."""

from __future__ import annotations

from unittest import mock

from flatwater.proof import comparing
from flatwater.proof.points import Point, Survival
from flatwater.proof.scenarios import Scenario

MIB = 1 << 20
BASE = 12 * MIB
SIZES = "10k..160k"


class Formula:
    """A measurer that runs nothing: the bytes above the start are a function of n."""

    def __init__(self, scenario, *, setup, metric, timeout_s, on_run):
        self.scenario, self.on_run = scenario, on_run

    def point(self, n, repeat):
        if self.on_run is not None:
            self.on_run(n)
        grown = FORMULAS[self.scenario.name](n)
        low, high = grown if isinstance(grown, tuple) else (grown, grown)
        base = BASE if self.scenario.target is not None else 0
        return Point(n, base + int(low), base + int(high), base, 0, n * 1e-5, n * 2e-5, repeat)

    def survive(self, n, group):
        return Survival(survived=True, limit_kind=group.kind, limit_bytes=group.limit_bytes, words="ran to its end")


FORMULAS = {}


def compared(formulas, *, commands=(), sizes=SIZES, **options):
    """A comparison of formulas by name; those among the commands are measured as commands are."""
    FORMULAS.clear()
    FORMULAS.update(formulas)
    scenarios = {
        name: Scenario(name, None, ("run", "{n}")) if name in commands else Scenario(name, ("module", "jobs", "load"))
        for name in formulas
    }
    with mock.patch.object(comparing, "Measurer", Formula):
        return comparing.compare(scenarios, sizes=sizes, **options)


def fails_from(size, error, formula=lambda n: 100 * n):
    """A formula that raises from a size on."""

    def peak(n):
        if n >= size:
            raise error
        return formula(n)

    return peak
