"""FW503: pools of builders are cleared in normal operation, so that each round makes anew what was kept for it.

Covers:     `flatwater.clear_pools()` in a loop, or in a function that is no end and no test.
Not here:   at the end of a program, in a shedder of a budget (`budget.on_pressure`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint.finding import Confidence
from flatwater.lint.rule import Found, Look, Rule

CLEARS = frozenset({"flatwater.clear_pools", "flatwater.build.clear_pools", "flatwater.build.pools.clear_pools"})
MESSAGE = "pools are bounded, and kept for the next object: clearing them here makes everything anew; leave them, or clear them under pressure (`budget.on_pressure`)."
ENDS = ("close", "stop", "shutdown", "teardown", "exit", "shed", "pressure", "reset", "cleanup", "__exit__", "main")


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        if look.origin(call.func) not in CLEARS:
            continue
        if look.module.loops_of(call):
            yield Found(call, MESSAGE, Confidence.SURE)
            continue
        function = look.module.function_of(call)
        name = getattr(function, "name", "")
        if function is not None and name and not any(each in name.lower() for each in ENDS):
            yield Found(call, MESSAGE, Confidence.LIKELY)


RULE = Rule(
    "FW503", "pools-cleared", "Pools are cleared in normal operation.", _check, ("clear_pools",),
)  # fmt: skip
