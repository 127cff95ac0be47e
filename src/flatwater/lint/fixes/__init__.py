"""Fixes of findings, one file each: only where behaviour cannot change.

Covers:     which rules have one; the form of a fix.
Not here:   finding (`lint.rules`), rewriting a file (`lint.fixing`).
Holds:      nothing.

The same behaviour means: the same results, the same output and the same state where the program ends as it should; and where it
ends with an error, an error, with nothing left behind that was not there before. Input with two faults may be refused for the other one.
Comparisons, operators and `len` of the program's own classes are taken to have no effects.
"""

from __future__ import annotations

from flatwater.lint.fixes import fw101_cursor, fw102_lines, fw202_unlisted, fw203_smallest, fw205_generator
from flatwater.lint.fixes.change import Propose

FIXES: dict[str, Propose] = {
    "FW101": fw101_cursor.propose,
    "FW102": fw102_lines.propose,
    "FW202": fw202_unlisted.propose,
    "FW203": fw203_smallest.propose,
    "FW205": fw205_generator.propose,
}
