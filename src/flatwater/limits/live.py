"""Bounds of live tables, each with its cost.

Covers:     columns, statements, the log, subscriptions, the SQL engine.
Not here:   the limits of other floors (`limits`).
Holds:      numbers.
"""

from __future__ import annotations

from flatwater.units import KIB, MIB

LIVE_COLUMNS_MAX = 500  # of a table; about 600 B each in memory
LIVE_NAME_BYTES_MAX = 100  # of a namespace, table, column or user, in UTF-8; part of each row's JSON and of keys
LIVE_DECIMAL_DIGITS_MAX = 38  # of a DECIMAL, which is what Arrow's decimal128 holds
LIVE_LOG_BYTES = 64 * MIB  # of changes that are kept for subscribers, on disk
LIVE_LOG_SLOW_RATIO = 4  # times as much is kept while a subscriber is behind; then he has to begin anew
LIVE_LOG_PAGE_BYTES = 256 * KIB  # of the log, read at a time
LIVE_LOG_PAGE_ROWS = 1_000  # records of it; about 200 B each beside their rows
LIVE_TRIM_ROWS = 2_000  # records of the log, deleted in one transaction
LIVE_GROUP_JOBS = 256  # statements that are committed together; what waits costs a thread each
LIVE_GROUP_BYTES = 4 * MIB  # of rows that are committed together, beside the first statement's
LIVE_STATEMENT_ROWS_MAX = 100_000  # changed by one statement, one transaction; about 300 B each beside the rows
LIVE_PAGE_BYTES = 256 * KIB  # of rows, read at a time
LIVE_PAGE_ROWS = 1_000  # of these; about 150 B each beside their bytes
LIVE_UNDO_BYTES = 4 * MIB  # of rows that were changed while a statement reads, as they were when it began
LIVE_SCHEMAS_BYTES = 1 * MIB  # of tables in memory, most recently used; others are read again
LIVE_DECODERS_MAX = 128  # of rows, most recently used, beside those of tables in memory; about 4 KiB each
LIVE_STATEMENTS_BYTES = 1 * MIB  # of statements that were understood, most recently used
LIVE_STATEMENT_BYTES_MAX = 256 * KIB  # of a statement's text; about ten times as much while it is understood
LIVE_NAMESPACES_MAX = 10_000  # about 100 B each in memory
LIVE_USER_SUBSCRIPTIONS = 1_000  # of a user at once, unless told otherwise; see LIVE_SUBSCRIPTIONS_MAX for their bytes
LIVE_USER_CONNECTIONS = 1_000  # of a user to a server at once, unless told otherwise; see SERVE_CONNECTION_BYTES
LIVE_USER_MESSAGES = 50  # that one connection of a user sends a second, unless told otherwise
LIVE_PASSWORD_BYTES_MIN = 8  # of a password
LIVE_PASSWORD_BYTES_MAX = 256  # of one; hashing takes as long for all
LIVE_USER_ROWS = 100_000_000  # that one SELECT of a user gives, unless told otherwise; they are streamed
LIVE_USER_BYTES = 1 << 40  # of their JSON, unless told otherwise; they are streamed
LIVE_GONE_S = 0.25  # between two looks at whether somebody still waits for a query that computes
LIVE_USER_SECONDS = 3_600  # of one statement of a user, unless told otherwise; it holds its pages meanwhile
LIVE_TTL_S_MAX = 10 * 365 * 86_400  # seconds that a row of a STREAM table lives; it stays on disk as long
LIVE_ROW_BYTES_MAX = 16 * MIB  # of a row's JSON, which stands in one transaction three times: before, after, logged
LIVE_KEY_BYTES_MAX = 450  # of a row's key with its table and user: what a page of the store has in one piece
LIVE_UPKEEP_S = 5.0  # seconds between two looks at what expired, which is not seen any more in any case
LIVE_READER_BYTES = 160  # of the object that reads a subscription
LIVE_FOLLOW_BYTES = 64 * KIB  # of subscriptions, taken from the budget at a time
LIVE_IDLE_USERS = 1_000  # who had subscriptions and have none are remembered, or as many as twice there are; 150 B each
LIVE_JOBS_MAX = 1_000  # that are remembered; about 300 B each
LIVE_EDIT_BYTES = 200  # that a row to be changed takes beside its bytes; six times as much with the log and the pages
LIVE_LOAD_ROWS = 2_000  # of db.load, in one transaction
LIVE_SQL_POOL_BYTES = 64 * MIB  # of the SQL engine, unless told otherwise; four times as much is promised
LIVE_POOL_RATIO = 4  # of what the engine takes to its pool: 3 was seen for sorting, 3.7 for windows of wide rows
LIVE_NESTING_MAX = 100  # of an expression; each level takes a few frames of Python's stack
LIVE_PATTERNS_MAX = 1_000  # of LIKE, compiled and kept; about 2 KiB each
LIVE_RANGES_MAX = 1_000  # of keys, of an IN with so many values at most; with more, all rows of the user are read
LIVE_TEXT_MADE_MAX = 4_000_000  # characters that REPLACE makes of a row's text; up to four bytes each
LIVE_FORMS_BYTES = 2 * MIB  # of forms of conditions, most recently used; subscriptions keep theirs beside
LIVE_NODES_MAX = 20_000  # of a SELECT; about 600 B each
LIVE_QUERIES_MAX = 4  # of the SQL engine at once: they share its pool; others wait
LIVE_ASYNC_THREADS = 8  # for statements of coroutines, started when they are needed; about 100 KiB each
LIVE_IDLE_S = 10.0  # that rows of a query of the engine may lie unread while others wait for their turn
LIVE_BATCH_BYTES = 512 * KIB  # of a record batch in the SQL engine, about: it has fewer rows where these are wide
LIVE_BATCH_ROWS = 512  # of a record batch in the SQL engine: a sort of 5 M rows peaks at 315 MB; at 325 with 1,024
LIVE_ACTORS_BYTES = 256 * KIB  # of users with their roles, most recently used
