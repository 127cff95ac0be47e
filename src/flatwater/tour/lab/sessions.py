"""Experiment `sessions`: a context of the SQL engine for each query, kept or dropped, and one for all.

Covers:     what it is, what was known, what must hold.
Not here:   the programs (`programs.sessions`), the engine of live tables (`live.engine`).
Holds:      text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.tour.lab.experiment import Claim, Experiment, Input, SeedFigure, Spot, Variant

_PROGRAMS = "flatwater.tour.lab.programs.sessions"
_ASKED = "all asked"
BEFORE = SeedFigure("50-200 MB/s at 1,000/s", 50e6, _ASKED)
AFTER = SeedFigure("<1 MB total", 1e6, _ASKED)

EXPERIMENTS = (
    Experiment(
        name="sessions",
        title="SQL queries of a hundred users: a context for each, or one",
        seed="KalamDB (a server in Rust over DataFusion), its summary of memory optimisations, by estimate",
        size=1_000,
        item="queries",
        variants=(
            Variant("a context each, kept", f"{_PROGRAMS}:kept", seed_figures=(BEFORE,)),
            Variant("a context each, dropped", f"{_PROGRAMS}:dropped", seed_figures=(BEFORE,)),
            Variant("one context", f"{_PROGRAMS}:shared", seed_figures=(AFTER,)),
            Variant("fw.Database", f"{_PROGRAMS}:database", (Input.FOLDER, Input.SIZE), (AFTER,)),
        ),
        claims=(
            Claim("peak", Spot(0, _ASKED), Spot(1, _ASKED), 10),
            Claim("peak", Spot(0, _ASKED), Spot(2, _ASKED), 10),
            Claim("peak", Spot(0, _ASKED), Spot(3, _ASKED), 10),
            Claim("count", Spot(0, _ASKED), Spot(3, _ASKED), 1_000),
        ),
        what_it_shows="A context that is dropped leaves nothing behind, however many there were: only what somebody keeps adds up. "
        "One context is enough for all users, if each query's tables have names of their own, and go with it.",
        needs_bytes=units.GIB,
        traced=False,
        small_part=10,
        small_needs_bytes=512
        * units.MIB,  # the engine's libraries reserve 128 MiB of addresses, and each processor has a thread
        by_moment=True,
        needs_extra=("live", "datafusion"),
        why_different="A context with a table takes {each:,} bytes here, kept, and the write-up's 50 to 200 MB a second would be "
        "50 to 200 KB for each of 1,000; it does not say who kept them. A hundred queries come first, in which the libraries take "
        "what they need once.",
    ),
)
