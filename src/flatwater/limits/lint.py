"""Bounds of the linter, each with its cost.

Covers:     files, lines, findings, what is kept of one run for the next.
Not here:   the limits of other floors (`limits`).
Holds:      numbers.
"""

from __future__ import annotations

from flatwater.units import MIB

LINT_FILE_BYTES_MAX = 4 * MIB  # of a file that is looked at; its tree takes about 25 times as much
LINT_FINDINGS_MAX = 1_000  # of one file, the first of them; about 600 B each
LINT_DEPTH_MAX = 64  # folders below each other, which is what a loop of links would go beyond
