"""The remotes: one file for each kind, which its siblings do not know.

Covers:     nothing by itself.
Not here:   what a remote is (`sync.remote`), from a URL to one of them (`sync.places`).
Holds:      nothing.
"""
