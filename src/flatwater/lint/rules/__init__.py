"""The rules of the linter, one file each.

Covers:     their names.
Not here:   what a rule is (`lint.rule`).
Holds:      nothing.
"""
