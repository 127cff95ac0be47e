"""What a program's text says about its memory, before it runs.

Covers:     the linter: rules, the evidence they ask for, suppressions, baselines, fixes.
Not here:   what a program does when it runs (`meter`, `proof`, `watch`).
Holds:      nothing beside the file that is looked at.
"""
