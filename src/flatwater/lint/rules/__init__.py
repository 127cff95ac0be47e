"""The rules of the linter, one file each.

Covers:     all of them, in order of their codes.
Not here:   what a rule is (`lint.rule`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.lint.rule import Rule
from flatwater.lint.rules import fw101_rows_fetched

RULES: tuple[Rule, ...] = (fw101_rows_fetched.RULE,)
