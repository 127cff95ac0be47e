"""The default bounds of files, named, with what they cost.

Covers:     the limits of chunks, lines and records.
Not here:   those of the other floors (`flatwater.limits`).
Holds:      integers.
"""

from __future__ import annotations

from flatwater.units import KIB, MIB

FILES_CHUNK_BYTES = 256 * KIB  # of one chunk, unless told otherwise; smaller ones cost time, larger ones memory
FILES_CHUNK_BYTES_MAX = 1024 * MIB  # of one chunk
FILES_BLOCK_BYTES = 64 * KIB  # read at once where chunks are smaller, and between two looks at the budget's gate
FILES_GATE_PERIOD_S = 0.2  # between looks of one who waits at a closed gate, whether it was closed itself
FILES_INPUT_BYTES = 64 * KIB  # of compressed bytes, or of an encoding's, taken at a time
FILES_REMOTE_BYTES = 1 * MIB  # asked of a remote file at a time
FILES_REMOTE_AHEAD_BYTES = 8 * MIB  # that a library and the network hold of a remote file beside that; seen: 6 MB
FILES_WINDOW_BYTES_MAX = 128 * MIB  # a decompressor may need: xz -9 takes 65 MiB, zstd --long=27 takes 128 MiB
FILES_EXPANSION_MAX = 2_000_000  # decoded bytes for each compressed one; zeros in bz2 reach 850,000
FILES_EXPANSION_FLOOR_BYTES = 1 * MIB  # decoded bytes before the ratio is looked at
FILES_FOLLOW_POLL_S = 0.2  # between looks at a file that is followed and has nothing new: a read and a stat
FILES_NOTES_MAX = 100  # of one source, the newest; about 200 B each
FILES_RANGES_MAX = 100_000  # that one file is split into; about 1 KiB each
FILES_LINE_WINDOW_BYTES = 32 * KIB  # of text split at a time; its lines take up to 24 times as much
FILES_LINE_BYTES = 1 * MIB  # of the longest line or record, unless told otherwise
FILES_LINE_BYTES_MAX = 1024 * MIB  # of the longest line or record
FILES_BAD_ROWS_KEPT = 100  # of one report, unless told otherwise; about 600 B each
FILES_BAD_ROWS_KEPT_MAX = 10_000  # the same
FILES_REASON_CHARS_MAX = 300  # of what is kept about one bad row
FILES_BATCH_BYTES = 8 * MIB  # heap bytes of one batch of records, unless told otherwise
FILES_BATCH_ROWS = 10_000  # of one batch of records, unless told otherwise
FILES_BATCH_ROWS_MAX = 10_000_000  # the same; a list entry is 8 B
FILES_PAGES_BYTES = 4 * MIB  # of one column of Parquet: a stored page, the same unpacked, a dictionary; 1 MiB is usual
FILES_PARQUET_BATCH_BYTES = 1 * MIB  # of one record batch
FILES_PARQUET_ROWS = 4_096  # of one record batch
FILES_PARQUET_HEAP_RATIO = 24  # heap bytes of rows for each byte of a record batch; small numbers take most
FILES_JSON_HEAP_RATIO = 32  # the same for JSON: "{}" takes 88 B
FILES_LONG_HEAP_RATIO = 8  # bytes that one long row takes as objects for each of its bytes; long ones are mostly text
