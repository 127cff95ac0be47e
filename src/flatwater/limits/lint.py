"""Bounds of the linter, each with its cost.

Covers:     files, lines, findings, what is kept of one run for the next.
Not here:   the limits of other floors (`limits`).
Holds:      numbers.
"""

from __future__ import annotations

from flatwater.units import KIB, MIB

LINT_FILE_BYTES_MAX = 4 * MIB  # of a file that is looked at; its tree takes about 110 times as much, see the next line
LINT_WORDS_MAX = 750_000  # words and signs of a file that is looked at; its tree takes about 450 B each, at worst 950 B
LINT_FINDINGS_MAX = 1_000  # of one file, the surest of them; about 600 B each
LINT_FOUND_MAX = 20_000  # of one file, before the surest are chosen; about 600 B each
LINT_DEPTH_MAX = 64  # folders below each other, which is what a loop of links would go beyond
LINT_SOURCE_CHARS_MAX = 500  # of the line that a finding shows; up to 2 KB with each finding
LINT_CONFIG_BYTES_MAX = 1 * MIB  # of a pyproject.toml; read at once
LINT_BASELINE_BYTES_MAX = 16 * MIB  # of a baseline file, read at once; about as much again for its entries
LINT_BASELINE_ENTRIES_MAX = 50_000  # of findings that a baseline knows; about 250 B each
LINT_CACHE_BYTES_MAX = 32 * MIB  # of the file with what was found before; the older half goes when it is full
LINT_CACHE_WAIT_S = 0.5  # for another process that writes the cache; then this one goes on without
LINT_CACHE_PENDING_MAX = 100  # files whose findings wait to be written; mostly 100 B each
LINT_CACHE_PAGES_BYTES = 256 * KIB  # of the cache's file that SQLite holds
LINT_NOTEBOOK_CELLS_MAX = 5_000  # of one notebook; the file's bytes bound them too
LINT_PROFILE_BYTES_MAX = 64 * MIB  # of a recorded run; parsed at once, about five times as much
LINT_PROFILE_LINES_MAX = 100_000  # with bytes, the largest of a recorded run; about 200 B each
LINT_RANKED_MAX = 10_000  # findings that are put in order by what a run allocated; about 700 B each
LINT_HOT_LINES_SHOWN = 10  # lines without a finding that a ranked report names; nothing
LINT_FIX_CHARS_MAX = 20_000  # of an expression that is rewritten; its tree takes about 2 KB for each of them
LINT_FIX_ROUNDS_MAX = 10  # of fixes that overlap, one after another; each reads the file once more
