"""Bounds of live tables, each with its cost.

Covers:     columns, statements, the log, subscriptions, the SQL engine.
Not here:   the limits of other floors (`limits`).
Holds:      numbers.
"""

from __future__ import annotations

LIVE_COLUMNS_MAX = 500  # of a table; about 600 B each in memory
LIVE_NAME_BYTES_MAX = 100  # of a namespace, table, column or user, in UTF-8; part of each row's JSON and of keys
LIVE_DECIMAL_DIGITS_MAX = 38  # of a DECIMAL, which is what Arrow's decimal128 holds
