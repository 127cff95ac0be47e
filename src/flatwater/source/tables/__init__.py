"""Tables: rows of a SQL table or select, in order, in a bounded number of bytes.

Covers:     `Table` (`tables.table`), which is also `fw.Table`.
Not here:   files and documents (`source.files`, `source.documents`).
Holds:      nothing.
"""
