"""Placeholder.

Covers:     nothing yet.
Not here:   everything.
Holds:      nothing.
"""
