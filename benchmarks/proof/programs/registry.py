"""Program families whose growth is known, their variants, and which half of the suite each family is in.

The split is a rule, not a choice: families of one kind are put in alphabetical order, and every second one, beginning
with the second, is held out. Constants of the verdict may be tuned on the first half only.

Truth is by construction: what a bounded program holds has a bound that is reached inside or before the measured range,
and a growing one keeps a stated number of bytes. `python -m benchmarks.proof.truth` measures it far beyond that range.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

SMALLEST, LARGEST = 25_000, 400_000  # the measured range, in items
LEAST_BYTES = 2  # per item, of a growing program: texts of some interpreters are smaller, and their variants left out
KINDS = ("constant", "linear", "sqrt", "log")
TUNE, HELD_OUT = "tune", "held-out"
MODULES = {
    "benchmarks.proof.programs.bounded": "",
    "benchmarks.proof.programs.bounded_parts": "",
    "benchmarks.proof.programs.growing": "",
    "benchmarks.proof.programs.growing_parts": "",
    "benchmarks.proof.programs.arrays": "numpy",
}

Parameters = dict[str, int | str]
Run = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Family:
    """Programs that differ in parameters only.

    Attributes:
        name: of the function.
        kind: what its peak grows like in n; "constant" of a bounded one.
        run: called as `run(n, **parameters)`.
        variants: parameters, each a program of its own.
        kept_bytes: what a growing program holds at its end, as a function of n and of its parameters.
    """

    name: str
    kind: str
    run: Run
    variants: tuple[Parameters, ...]
    kept_bytes: Callable[..., float]


@dataclass(frozen=True, slots=True)
class Program:
    """One variant of a family: a scenario of n."""

    family: Family
    half: str
    parameters: Parameters

    @property
    def name(self) -> str:
        """Family and parameters, for people."""
        return f"{self.family.name}({', '.join(f'{key}={value}' for key, value in self.parameters.items())})"

    @property
    def truth(self) -> str:
        """Constant, or grows."""
        return "constant" if self.family.kind == "constant" else "grows"

    @property
    def scenario(self) -> Callable[[int], object]:
        """What is called with n, and can be pickled by reference."""
        return partial(self.family.run, **self.parameters)

    def kept(self, n: int) -> float:
        """Bytes that a growing program holds after n items."""
        return self.family.kept_bytes(n, **self.parameters)

    @property
    def bytes_per_item(self) -> float:
        """What the measured range adds, for each item that it adds."""
        return (self.kept(LARGEST) - self.kept(SMALLEST)) / (LARGEST - SMALLEST)


_registered: dict[str, Family] = {}


def bounded(*variants: Parameters) -> Callable[[Run], Run]:
    """Register a function that holds all that it may hold before the measured range ends."""

    def register(run: Run) -> Run:
        _add(Family(run.__name__, "constant", run, variants, _nothing))
        return run

    return register


def growing(kind: str, kept_bytes: Callable[..., float], *variants: Parameters) -> Callable[[Run], Run]:
    """Register a function that keeps `kept_bytes(n, **parameters)`."""
    assert kind in KINDS[1:]

    def register(run: Run) -> Run:
        _add(Family(run.__name__, kind, run, variants, kept_bytes))
        return run

    return register


def per_item(count: Callable[..., float]) -> Callable[..., float]:
    """Bytes kept by a program that keeps `count(**parameters)` of each item."""
    return lambda n, **parameters: n * count(**parameters)


def grid(**choices: tuple[int | str, ...]) -> tuple[Parameters, ...]:
    """Every combination."""
    return tuple(dict(zip(choices, picked, strict=True)) for picked in itertools.product(*choices.values()))


def heap(*objects: object) -> int:
    """Bytes of these objects on the heap, one by one: the allocator hands out sixteens."""
    return sum(-(-sys.getsizeof(each) // 16) * 16 for each in objects)


def sqrt_of(n: int) -> float:
    """For `kept_bytes`."""
    return math.sqrt(n)


def _nothing(_n: int, **_parameters: int | str) -> float:
    return 0.0


def _add(family: Family) -> None:
    assert family.name not in _registered
    assert family.variants
    _registered[family.name] = family


def left_out() -> dict[str, str]:
    """Modules of families that cannot run here, and why."""
    return {
        module: f"{needed} is not installed"
        for module, needed in MODULES.items()
        if needed and importlib.util.find_spec(needed) is None
    }


def families() -> dict[str, tuple[Family, str]]:
    """Every family that can run here, with its half."""
    absent = left_out()
    for module in MODULES:
        if module not in absent:
            importlib.import_module(module)
    split = {}
    for kind in KINDS:
        named = sorted(name for name, family in _registered.items() if family.kind == kind)
        for place, name in enumerate(named):
            split[name] = (_registered[name], HELD_OUT if place % 2 else TUNE)
    return split


def programs(half: str = "") -> Iterator[Program]:
    """Every variant, of one half if it is named."""
    for family, its_half in families().values():
        if half in {"", its_half}:
            for parameters in family.variants:
                program = Program(family, its_half, parameters)
                if program.truth == "constant" or program.bytes_per_item >= LEAST_BYTES - 1e-9:
                    yield program
