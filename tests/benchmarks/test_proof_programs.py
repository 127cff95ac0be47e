"""The programs of the verdict's validation do not rot, and none of their families is in both halves."""

from __future__ import annotations

import inspect
import math
import pickle
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # `python -m benchmarks.proof` runs from here too

from benchmarks.proof import matrix, truth  # noqa: E402 - after the path is known
from benchmarks.proof.programs import registry  # noqa: E402 - the same

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="benchmarks read /proc")

TINY, SMALL = 50, 500
BIG_MIB = 32  # buffers above it are touched by the suite, not here


def everything():
    """Families with their half; loudly fewer without NumPy."""
    for module, why in registry.left_out().items():
        warnings.warn(f"{module} is left out: {why}", stacklevel=1)
    return registry.families()


@pytest.mark.parametrize("name", everything())
def test_a_program_runs_at_every_size(name):
    """Each variant of a family runs for few items, and the first one for some more."""
    family, half = registry.families()[name]
    for parameters in family.variants:
        if int(parameters.get("mib", 0)) <= BIG_MIB:
            registry.Program(family, half, parameters).scenario(TINY)
    registry.Program(family, half, family.variants[0]).scenario(SMALL)


@pytest.mark.parametrize("name", everything())
def test_a_program_is_a_scenario_of_n(name):
    """A family is a function of n at the top of a module, which a fresh process imports by its name."""
    family, half = registry.families()[name]
    assert next(iter(inspect.signature(family.run).parameters)) == "n"
    assert pickle.loads(pickle.dumps(family.run)) is family.run
    assert inspect.getdoc(family.run)
    names = [registry.Program(family, half, parameters).name for parameters in family.variants]
    assert len(set(names)) == len(names)


def test_families_are_split_by_the_alphabet():
    """Of each kind every second family in alphabetical order is held out, and a family is in one half only."""
    split = everything()
    for kind in registry.KINDS:
        names = sorted(name for name, (family, _half) in split.items() if family.kind == kind)
        assert [name for name in names if split[name][1] == registry.HELD_OUT] == names[1::2]
        assert [name for name in names if split[name][1] == registry.TUNE] == names[0::2]
        assert len(names) >= 4


def test_there_are_enough_programs():
    """Each half has all kinds of growth, and the one that is held out gives enough verdicts on its own."""
    pytest.importorskip("numpy")
    split = everything()
    assert sum(family.kind == "constant" for family, _half in split.values()) >= 16
    assert sum(family.kind != "constant" for family, _half in split.values()) >= 16
    for half in (registry.TUNE, registry.HELD_OUT):
        kinds = [program.family.kind for program in registry.programs(half)]
        assert set(kinds) == set(registry.KINDS)
        assert len(kinds) >= matrix.VERDICTS_MIN
        assert 0.4 < kinds.count("constant") / len(kinds) < 0.6


def test_growth_is_what_must_be_seen():
    """Every growing program adds two bytes per item or more in the measured range, and some of them add just that."""
    for half in (registry.TUNE, registry.HELD_OUT):
        added = [program.bytes_per_item for program in registry.programs(half) if program.truth == "grows"]
        assert min(added) >= matrix.MISSED_BYTES - 1e-9
        assert sum(each < 3 for each in added) >= 10


def test_what_is_kept_is_what_its_kind_says():
    """Twice as many items are twice as many bytes, root two as many, or a step more, as the kind of growth has it."""
    for program in registry.programs():
        small, middle, large = (program.kept(1 << power) for power in (16, 17, 18))
        match program.family.kind:
            case "constant":
                assert small == large == 0
            case "linear":
                assert large == pytest.approx(2 * middle)
            case "sqrt":
                assert large == pytest.approx(math.sqrt(2) * middle)
            case "log":
                assert large - middle == pytest.approx(middle - small)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "variant"), [("lru_by_items", 0), ("closures", 0), ("sqrt_index", -1), ("log_table", -1)]
)
def test_a_program_is_what_it_is_called(name, variant):
    """A program of each kind keeps what its construction says, measured beyond the range without the verdict's code."""
    family, half = registry.families()[name]
    right, figures = truth.check(registry.Program(family, half, family.variants[variant]))
    assert right, figures


def test_what_is_not_what_it_is_called_is_found(monkeypatch):
    """A program that keeps more, or nothing, of what it says is told from one that is right."""
    monkeypatch.setattr(truth, "point", lambda program, n: {"peak_bytes": 1000.0 * n, "cpu_s": 0.1})
    wrong = [program for program in registry.programs() if truth.check(program)[0]]
    assert wrong == []
