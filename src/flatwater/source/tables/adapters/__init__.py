"""One file for each database or library that rows come from; they do not know each other.

Covers:     choosing the file by what a user passes (`connecting`).
Not here:   paging, bytes, tokens (`source.tables`).
Holds:      nothing.
"""
