"""What a benchmark is: one piece of work, done by Flatwater and by each named peer, and the bars it is held to.

A case is a tiny module with a `case` and one decorated `setup(size)` for each contestant; a setup prepares outside of the
measurement and returns `run()`, which is measured. `run` may return figures of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from benchmarks.outcome import Outcome

Run = Callable[[], Mapping[str, float] | None]
Setup = Callable[[int], Run]

CPU = "cpu_s"  # a figure of `run`: seconds of a server that did the work, in place of the process's own
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
CASES = {
    "house/import": "benchmarks.house.import_cost",
    "run/start": "benchmarks.run.start",
    "run/objects": "benchmarks.run.objects",
    "run/native": "benchmarks.run.native",
    "budget/reserve": "benchmarks.budget.reserve",
    "sizing/row": "benchmarks.sizing.row",
    "meter/timeline": "benchmarks.meter.timeline",
    "meter/measure": "benchmarks.meter.measure",
    "meter/size_of": "benchmarks.meter.size_of",
    "worker/call": "benchmarks.worker.call",
    "watch/overhead": "benchmarks.watch.overhead",
    "watch/shed": "benchmarks.watch.shed",
    "watch/service": "benchmarks.watch.service",
    "build/builders": "benchmarks.build.builders",
    "build/batches": "benchmarks.build.batches",
    "build/picks": "benchmarks.build.picks",
    "build/node": "benchmarks.build.node",
    "files/chunks": "benchmarks.files.chunks",
    "files/rows": "benchmarks.files.rows",
    "tables/objects": "benchmarks.tables.objects",
    "tables/arrow": "benchmarks.tables.arrow",
    "tables/wide": "benchmarks.tables.wide",
    "tables/pages": "benchmarks.tables.pages",
    "tables/postgres": "benchmarks.tables.postgres",
    "store/passes": "benchmarks.store.passes",
    "store/reads": "benchmarks.store.reads",
    "store/tuning": "benchmarks.store.tuning",
    "store/partitions": "benchmarks.store.partitions",
    "store/passes_10m": "benchmarks.store.passes_10m",
    "store/survival": "benchmarks.store.survival",
    "pipeline/pieces": "benchmarks.pipeline.pieces",
    "pipeline/items": "benchmarks.pipeline.items",
    "pipeline/parallel": "benchmarks.pipeline.parallel",
    "pipeline/processes": "benchmarks.pipeline.processes",
    "pipeline/sort": "benchmarks.pipeline.sort",
    "sync/no_change": "benchmarks.sync.no_change",
    "sync/no_change_1m": "benchmarks.sync.no_change_1m",
    "sync/upload": "benchmarks.sync.upload",
    "sync/s3_to_ftp": "benchmarks.sync.s3_to_ftp",
    "sync/flat": "benchmarks.sync.flat",
    "sync/local": "benchmarks.sync.local",
    "sync/growth": "benchmarks.sync.growth",
    "sync/ten_million": "benchmarks.sync.ten_million",
    "ingest/split": "benchmarks.ingest.split",
    "ingest/split_documents": "benchmarks.ingest.split_documents",
    "documents/pdf_text": "benchmarks.documents.pdf_text",
    "ingest/scan": "benchmarks.ingest.scan",
    "live/match": "benchmarks.live.match",
    "live/sorting": "benchmarks.live.sorting",
    "live/statements": "benchmarks.live.statements",
    "live/subscriptions": "benchmarks.live.subscriptions",
    "live/tables": "benchmarks.live.tables",
    "live/connections": "benchmarks.live.connections",
    "live/delivery": "benchmarks.live.delivery",
    "live/stalled": "benchmarks.live.stalled",
    "live/latency": "benchmarks.live.latency",
    "live/soak": "benchmarks.live.soak",
    "live/crowd": "benchmarks.live.crowd",
    "ingest/whole": "benchmarks.ingest.whole",
    "ingest/same": "benchmarks.ingest.same",
    "ingest/growth": "benchmarks.ingest.growth",
    "lint/speed": "benchmarks.lint.speed",
    "growth/costs": "benchmarks.growth.costs",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise with a number.

    Attributes:
        text: the promise, as a sentence.
        limit: the highest value that keeps it.
        unit: of `limit`, for people.
        value: the measured value; it may raise KeyError where a contestant it compares with was left out.
    """

    text: str
    limit: float
    unit: str
    value: Callable[[Outcome], float]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work.

    Attributes:
        name: as in the table.
        setup: prepares for a size, and returns what is measured.
        needs: modules without which it is left out.
        rounds_max: rounds it takes part in; a peer that costs ten times as much need not be run as often.
        absent: says what else is missing, such as a compiler; empty if nothing is.
    """

    name: str
    setup: Setup
    needs: tuple[str, ...]
    rounds_max: int
    absent: Callable[[], str] = str

    def missing(self) -> str:
        """What is not installed, in words; empty if it can run."""
        absent = [module for module in self.needs if importlib.util.find_spec(module) is None]
        return f"{', '.join(absent)} is not installed" if absent else self.absent()


@final
class Case:
    """A benchmark; the first contestant is the one that the others are compared with.

    Args:
        title: what is compared, as one sentence.
        size: how much work a round is.
        tiny: the size that only shows that the case still runs.
        per: what one unit of `size` is, if times are to be told for each; empty for the whole run.
        unit: of times in tables: "s", "ms" or "us".
        commands: whether the work is done by processes that `run` starts: their memory counts, not the child's own.
        rounds_per_repeat: short rounds, often in turn, tell more of a small difference than a few long ones.
        patience: how many times as long as others a contestant of this case may take before it is ended.
        figures: headings of the figures that `run` returns, by name.
        bars: what is promised.
    """

    def __init__(
        self,
        title: str,
        *,
        size: int,
        tiny: int,
        per: str = "",
        unit: str = "s",
        commands: bool = False,
        rounds_per_repeat: int = 1,
        patience: int = 1,
        figures: Mapping[str, str] | None = None,
        bars: tuple[Bar, ...] = (),
    ) -> None:
        assert unit in UNITS
        self.title = title
        self.size = size
        self.tiny = tiny
        self.per = per
        self.unit = unit
        self.commands = commands
        self.rounds_per_repeat = rounds_per_repeat
        self.patience = patience
        self.figures = dict(figures or {})
        self.bars = bars
        self.contestants: dict[str, Contestant] = {}

    def contestant(
        self,
        name: str,
        *,
        needs: tuple[str, ...] = (),
        rounds_max: int = 1_000,
        absent: Callable[[], str] = str,
    ) -> Callable[[Setup], Setup]:
        """Register a setup under `name`."""

        def register(setup: Setup) -> Setup:
            assert name not in self.contestants
            self.contestants[name] = Contestant(name, setup, needs, rounds_max, absent)
            return setup

        return register

    @property
    def first(self) -> str:
        """The contestant that the others are compared with."""
        return next(iter(self.contestants))


def load(name: str) -> Case:
    """The case of that name."""
    case: Case = importlib.import_module(CASES[name]).case
    return case
