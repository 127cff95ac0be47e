"""SQL tables in a directory, each user alone with his rows, and queries that go on: changes are pushed.

Covers:     nothing by itself.
Not here:   ordered entries on disk (`store`), tables of other databases (`source.tables`).
Holds:      nothing.
"""
